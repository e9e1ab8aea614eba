"""Words that tell names of persons from everything else on an invoice of training; all folded (see layout.fold)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What small words a family name may hold.
PARTICLES = _words(
    "af al ben bin d da das de del della den der des di do dos du e el ibn l la le les ou ten ter van von y zu"
)

#: No word of a name: what stands on such invoices in capital letters or at the head of a cell.
NO_NAMES = _words("""
    absence absences academie accord achat acompte action activite adresse agence agent agrement allee anglais
    animateur annee annuel aout apprenant apprenants apprenti apprentie apprenties apprentis apprentissage
    approfondissement apres-midi arrete arretee art article assistant assistante association atelier attestation au
    auditeur aux avance avancee avec avenue avoir avril bac bachelor bancaire banque base beneficiaire beneficiaires
    bic bien bilan bloc bon boulangerie boulevard bp brevet bts bureautique but cabinet caces campus candidat cap ce
    cedex centre certificat certification cette cfa chemin client client-e clients clinique coach coaching code
    cogerant commande commercial communication comptabilite comptable compte comptes conditions conducteur conduite
    conseil contact contrat convention coordonnees cours cout couts cpf cpro credit cse cursus dans date dates debut
    deca decembre declaration delai departement des designation destinataire detail deug developpement developpeur
    developpeuse devis dimanche diplome directeur direction directrice dispositif distance distanciel doit domaine
    dossier dpc du duree dut echeance ecole edite editee edition effectuee effectuees efficacite electrique
    emargement emetteur emis emise employeur en encadrement entre entreprise equipe est et etablissement
    etablissements etat ets eur eurl euros excel executive exoneration exonere facturation facture factures fait fax
    feuille fevrier fin financement financeur foad fonderie forfait formateur formation formatrice frais france
    garage gestes gestion groupe groupement h habilitation hebergement heure heures hors hotel ht iban identifiant
    immeuble impasse imprimerie indemnite informatique ingenierie initiation institut intermediaire intervenant
    intitule j janvier jeudi jour jours juillet juin juridique kit la laboratoire langue le les licence lieu ligne
    liste livraison logiciel lot lundi lycee madame mai management manager mandat mardi marketing mars master matin
    mba mensualite mensuel mention merci mercredi mesdames message messieurs mode module modules mois monsieur
    montant montants n naf nature nda net niveau nom nombre noms nord nos notre novembre nr numero objet observation
    observations octobre opco operateur operatrice organisme origine ou ouest page paiement par parcours paris
    participant participants parties passage payable payeur pedagogique pedagogiques penalite penalites
    perfectionnement periode personnel pharmacie photoshop place postures pour pourcentage powerpoint prap prenom
    prenoms preparation presence presentiel prestataire prestation prestations prevue prevues prise prix pro produit
    professionnel professionnelle professionnels programme projet proximite quai qualification qualiopi quantite
    quantites rappel rcs realise realisee realisees recu recyclage reduction ref reference references regie
    reglement relance remise report reporter responsable restaurant reste retard rib route rue sa salarie salaries
    samedi sans sarl sas sasu sauveteur sci scop secourisme section securite selon septembre service services
    session sessions siege signature siren siret site societe soit solde solutions somme sous square sst stage
    stagiaire stagiaires statut subrogation sud suivant suivi sur tarif taux taxe taxes technicien technicienne tel
    telephone tiers titre titulaire toeic tosa total totaux tout toute tranche transport travaux tresor ttc tuteur
    tutorat tva un une unitaire unite universite vae validation vendeur vendredi vente versement versements veuillez
    virement visa volume vos votre web word x za zac zi zone
""")

#: Frequent given names: they tell which part of "Martin Paul" is the given name. From common knowledge of the names
#: given in France; a name that is not here is read as well, only its order is less sure.
GIVEN_NAMES = _words("""
    abdel abdou adam adama adele adeline adrien agathe agnes agnieszka ahmed aicha aissata aissatou alain alan
    albert aleksandra alessandro alex alexandra alexandre alexia alexis ali alice alicia aline alison alix alvaro
    alya amandine amar ambre amel amelie amina aminata amine amir ana anaelle anais andre andrea andree andrei ange
    angela angele angelina angelique anh anh-tuan anissa anita anna annabelle anne annick annie anouk anthony
    antoine antonin antonio apolline ariane arielle arlette armand armelle arnaud arthur assia astrid astrid-marie
    aude audrey augustin aurelie aurelien aurore awa axel axelle aya ayse aziz bao baptiste barbara bastien beatrice
    benedicte benjamin benoit berenice bernadette bernard bertrand bilal bjorn blandine bogdan boris bouba brahim
    brandon brice brigitte bruno bryan camelia camille capucine carine carla carlos carmen carole caroline catherine
    cecile cedric celestine celia celine chantal charlene charles charlie charline charlotte cheikh chiara chloe
    christel christelle christian christiane christine christophe cindy claire clara clarisse claude claudia
    claudine claudy clea clemence clement clementine cloe clothilde colette colin coline come constance coralie
    corentin corinne cristian cyril cyrille damien daniel daniela daniele danielle dany daphne david deborah
    delphine denis denise desire desiree diana diane didier diego dimitri djamel djibril dominique donovan dorian
    doriane dorothee dragos duc dung dylan edgar edith edmond edouard elena eleonore eliane elias elie eline eliott
    elisa elisabeth elise eloane elodie eloi eloise elsa emeline emile emilie emilien emma emmanuel emmanuelle emmy
    enzo eric erika erwan esteban estelle ethan etienne eugene eugenie eva evan eve evelyne ewa fabian fabien
    fabienne fabio fabrice fanny fanta farah farid fatiha fatima fatimata fatma fatou fatoumata faustine felix
    fernand fernanda filipe flavie flavien fleur flora florence florent florian florine fouad francesca franck
    francois francoise frank fred frederic frederique gabin gabriel gabriela gabrielle gael gaelle gaetan gaspard
    gaston gautier genevieve george georges gerald geraldine gerard germain ghislain ghislaine gilbert gilberte
    gilles gina ginette giovanni gisele giulia grace gregoire gregory guilhem guillaume gustave guy gwenael
    gwenaelle gwendoline habib hakim hamid hamza hana hanna hannah hasan hassan hatice helena helene henri henriette
    herve hicham hoa hoang honore hortense houda hubert hugo hugues hung huong ian ibrahim ibrahima ida ilan ilham
    iliana ilyes imane imen ines ines-maria ines-sofia ingmar ingrid ioana ionut irene iris isaac isabelle isaure
    isis ismael ivan jack jacky jacqueline jacques jade jakub jamal jamila jan jana janine jason javier jawad jean
    jeanne jeannine jennifer jenny jens jeremie jeremy jerome jessica jessy jimmy jiri joan joana joanna joao
    joaquim joaquina joel joelle johan johann johanna john jonas jonathan jordan jorge jose josee joseph josephine
    josette josiane josselin joyce juan juanita jules julia julian juliana julie julien juliette julio justin
    justine kadiatou kamel karen karim karima karin karine karl katarzyna kathy katia keisha kelly kenza kevin
    khadidja khadija khady khaled killian kim kylian laetitia laila lamia lan lana lara lars latifa laura laure
    laureen laurence laurene laurent laurie laurine lea lea-marie leana leila lena leo leon leonard leonie leonor
    leopold leslie leticia lien lila lilian liliane lilou lily lina linda line linh lionel lisa lise lison livia
    loan loane loic lola lorena lorene lorenzo loris lou louane louis louis-marie louisa louise luc luca lucas lucia
    lucie lucien lucienne lucile lucille ludivine ludovic luis luisa luka lukas lukasz ly lydia lydie lylou lyna
    madalina maddalena madeleine madeline mael maelle maelys maeva magali mai maia malek malik malika malo mamadou
    manel manon manuel manuela marc marceau marcel marcelle marco marco-antonio marek margaux margot marguerite
    maria mariam mariama marianne marie marielle marin marina marine mario marion marius marjorie marlene marouane
    martial martin martine marvin maryam maryline maryse maryvonne mateo mathias mathieu mathilde mathis mathurin
    mathys matteo matteo-luca matthias matthieu maud maurice maurine max maxence maxime maxine maya mayline maylis
    mbaye mehdi mehmet melanie melina meline melissa melody melvin mendy meriem meryem mia michael michel michele
    micheline mickael miguel mihai mila milan milena milo minh mireille miriam modou mohamed mohammed moise monica
    monique morad morgan morgane mouna mounir moussa muriel murielle mustapha mylene myriam nabil nadege nadia
    nadine nael naima najat nancy naomi natacha natalia nathalie nathan nawal ndeye nelly nelson ngoc ngoc-anh
    nicolas nicole nils nils-erik nina nino noa noah noam noe noel noelie noeline noelle noemie nolan nora norah
    norbert nordine nour ocean oceane odette odile oksana olga oliver olivia olivier ondine orane oriane orlane
    orphee oscar oumar ousman ousmane pablo paolo pascal pascale pascaline patrice patricia patrick paul paula
    paulette pauline pavel pawel pedro perrine petra philippe phuong pierre pierrette pilar piotr priscilla quang
    quentin rachel rachid rachida rafael raja ramzi rania raoul raphael raphaelle rayan raymond raymonde rebecca
    regine regis reine remi remy renaud rene renee ricardo richard rita robert robin rocio rodolphe rodrigue roger
    roland romain romane romaric romeo romuald romy ronan rosa rosalie rose roselyne roxane ruben rui ryan sabah
    sabine sabri sabrina sacha said saida saliha sally salma salome saloua sam samantha sami samia samir samira
    samuel samy sandra sandrine sandy sara sarah sasha saskia sean sebastien selena selim selma serena serge
    severine sheila sidonie sigrid sihem silvia simon simone sixtine sofia sofiane solange solene soline sonia
    sophia sophie soraya soren soumaya stacy stanislas steeve stefano stella stephane stephanie steve steven suzanne
    suzie sven svetlana sylvain sylvaine sylvette sylvia sylviane sylvie tadeo tancrede tanguy tania tara tatiana
    teddy teo teresa tess thais thanh thao theo theodore theophile therese thi thibaud thibault thibaut thierry
    thomas thuy tiago tiago-miguel tiffany tim timeo timothee tina tiphaine titouan tom tomasz toni tony trang
    tristan tuan ugo ulysse urbain valentin valentine valerian valerie vanessa vasile vera veronique vianney vicky
    victoire victor victoria vincent violaine violette virgile virginie viviane vivien vladimir walid wassim wendy
    wilfried william willy xavier yacine yael yamina yan yanis yann yannick yannis yasmina yasmine yassin yassine
    yassmine yazid ylan yoan yoann yohan yohann yolande younes youssef yusuf yvan yves yvette yvonne zacharie zahra
    zakaria zaynab zeinab zelie zeljka zied zineb zoe zofia zohra zora
""")
