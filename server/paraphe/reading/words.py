"""Words that tell names of persons from everything else on an invoice of training; all folded (see folding.fold)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What small words a family name may hold.
PARTICLES = _words(
    "af al ben bin d da das de del della den der des di do dos du e el ibn l la le les ou ten ter van von y zu"
)

#: No word of a name: what stands on such invoices in capital letters or at the head of a cell.
NO_NAMES = _words("""
    absence absences academie accompagnement accord achat acompte action activite adresse adresser agence agent
    agrement allee anglais animateur annee annuel aout apprenant apprenants apprenti apprentie apprenties apprentis
    apprentissage approfondissement apres apres-midi arrete arretee art article assistant assistante association
    atelier ateliers attestation au auditeur auto-ecole aux avance avancee avant avec avenue avoir avril bac
    bachelor bancaire banque base bat batiment beneficiaire beneficiaires bic bien bilan bloc bon boulangerie
    boulevard bourg bp brasserie brevet bts bureautique but cabinet caces campus candidat cap carrosserie ce cedex
    centre certificat certification cette cfa charpente chauffage chemin client client-e clients clinique coach
    coaching code cogerant commande commercial commune communication comptabilite comptable compte comptes
    conditions conducteur conduite conseil conserverie contact contrat convention cooperative coordonnees cours cout
    couts couverture cpf cpro credit cse cumul cumuls cursus dans date dates debut deca decembre declaration delai
    departement des designation destinataire detail deug developpement developpeur developpeuse devis dimanche
    diplome directeur direction directrice dispositif distance distanciel distillerie doit domaine dossier dpc du
    duree dut echeance ecole edite editee edition effectuee effectuees efficacite electricite electrique emargement
    emetteur emis emise employeur en encadrement entre entreprise envoyer equipe est et etablissement etablissements
    etat ets eur eurl euros excel executive exoneration exonere expedier facturation facture facturer factures faf
    fait fax fco feuille fevrier fimo fin financement financeur foad fonderie fonds fongecif forfait formateur
    formation formatrice frais france fromagerie gaec garage gestes gestion gie groupe groupement h habilitation
    hebergement heure heures hopital hors hotel ht iban identifiant immeuble impasse imprimerie indemnite
    informatique ingenierie initiation institut intermediaire intervenant intitule j janvier jeudi jour
    jours juillet juin juridique kit la laboratoire langue le les librairie licence lieu ligne liste livraison
    livrer logiciel lot lundi lycee maconnerie madame mai mairie maison management manager mandat marchandises mardi
    marketing mars master matin mba mensualite mensuel mention menuiserie merci mercredi mesdames message messieurs
    mode module modules mois monsieur montant montants n naf nature nda net niveau nom nombre noms nord nos notre
    novembre nr numero objet observation observations octobre opco operateur operatrice opticiens organisme origine
    ou ouest page paiement papeterie par parc parcours paris participant participants participation parties passage
    patisserie payable payeur pedagogique pedagogiques peinture penalite penalites perfectionnement periode
    personnel pharmacie photoshop place plomberie postures pour pourcentage powerpoint prap prenom prenoms
    preparation presence presentiel prestataire prestation prestations prevue prevues prise prix pro produit
    professionnel professionnelle professionnels programme projet proximite quai qualification qualiopi quantite
    quantites rappel rcs realise realisee realisees recu recyclage reduction ref reference references regie
    reglement regler relance remise report reporter residence responsable restaurant reste retard rib route rue sa
    salarie salaries samedi sans sarl sas sasu sauveteur scea sci scierie scop secourisme section securite selon
    septembre service services session sessions siege signature siren siret site societe soit solde solutions somme
    sous sous-total square sst stage stagiaire stagiaires statut studio subrogation sud suivant suivi sur tarif taux
    taxe taxes technicien technicienne tel telephone tiers titre titulaire toeic tosa total totaux tout toute
    tranche transport transports travaux tresor ttc tuteur tutorat tva un une unitaire unite universite vae
    validation vendeur vendredi vente versement versements veuillez ville virement visa volume vos votre voyageurs
    web word x za zac zi zone
""")

#: Frequent given names: they tell which part of "Martin Paul" is the given name. From common knowledge of the names
#: given in France; a name that is not here is read as well, only its order is less sure.
GIVEN_NAMES = _words("""
    abdallah abdel abdelaziz abdelhak abdelkader abdellah abdou abdoul abdoulaye abel abigail abraham achille adam adama
    adelaide adele adelin adeline adrien aelis aelys agathe agnes agnieszka agustin ahmad ahmed aicha aida aidan aiden
    aimee aimeric aimery aissata aissatou aksel alaa alain alan alban albane albert alberto albin aldo alec alejandra
    alejandro aleksandra alessandra alessandro alessia alex alexandra alexandre alexandrine alexi alexia alexis alexy
    alfonso alfred ali alice alicia alida alienor aline alioune alison alix alma aloys aloyse alphonse alvaro alya
    amadou amael amandeep amandine amar amaury amaya ambre ambroise amedee amel amelia amelie ameline amina aminata
    aminatou amine amir amos ana anael anaelle anais anas anastasia anatole andre andrea andree andreea andrei andreia
    andres andrey andy ange angela angele angelina angelique angelo angie anh anh-tuan anicet aniela aniss anissa anita
    anja anna annabelle annaelle annaig anne annette annick annie anouck anouk anselme anthony antoine antonella antonia
    antonin antonio antony apolline apollonie archibald ariane arielle aristide arlene arlette arlo armand armelle
    arnaud arnold aron arsene artemis arthur arthus ashley asma asmaa assia astou astrid astrid-marie athena aubane
    aubin aude audrey augustin augustine aurele aurelia aureliane aurelie aurelien aurelio auriane aurore austin awa
    awen axel axelle aya aydan aylin ayline aymane aymen aymeric ayoub ayse azelie aziz azzedine bakary balthazar bao
    baptiste baptistin barbara barnabe bartlomiej basile basma bastien beata beatrice beatrix bechir belinda benedetta
    benedicte beniamin benita benjamin benjamine benoit benoite berangere berenger berengere berenice bernadette bernard
    bernardo berthe bertille bertrand bianca bilal bintou birane bjorn blanche blandine bogdan boniface boris bouba
    boubacar bradley brahim brandon brian brice bridget brieuc brigitte brune brunehilde bruno bryan bryce cael caleb
    calista callie calvin camelia cameron camila camille candice capucine carine carla carlos carlotta carmela carmen
    carolane carole caroline casimir cassandra cassandre cassie catalina catherine cathy cecile cedric cedrick celest
    celestin celestina celestine celia celian celie celine celyan chahinez chaima chantal charlelie charlene charles
    charlie charline charlotte charly charlyne chase chayma cheikh chems cherif cheyenne chiara chiraz chloe chris
    christa christel christele christelle christian christiane christina christine christophe christopher christy cindy
    claes claire clara clarence claris clarisse claude claudette claudia claudine claudy clea clelia clemence clemens
    clement clementin clementine cleo clio cloe clotaire clothilde clotilde clovis colas colette colin coline columba
    come conceicao constance constantin coralie coraly corentin corentine corinna corinne cosima cristian cyprien
    cyrielle cyril cyrille cyrine cyrus daisy dalia dalila damaris damian damien damienne dana daniel daniela daniele
    danielle dany dao daouda daphne darius dariusz darren dave david debora deborah delia delphine demba denez denis
    denise deniz denys desire desiree desislava diabou diana diane didier diego dieudonne dimitri dimitry dina djamel
    djamila djeneba djibril djuna dmytro dolores dominique domitille donatien donovan dora dorian doriane doris dorothea
    dorothee dounia dragos duarte duc dung dylan dylane dyna ebony eden edgar edgard edith edmond edna edouard eduardo
    edwige edwin effie eglantine egon ehouarn eileen ekaterina elanore eleanor elena eleni eleonora eleonore elian
    eliana eliane elias elie elif elijah elin elina eline elinor eliot eliott elisa elisabete elisabeth elisabetha elise
    eliska eliza elizabeth elke ella ellen elliot elliott elly eloan eloane eloann elodia elodie eloi eloise elora
    elouan elouann elouen elsa elsy elvina elvire elvis elyas elyne elyse ema emanuel emanuela emeline emile emilia
    emiliano emilie emilien emilio emma emmanuel emmanuelle emmy emre emrys ena enaelle endrick enea enguerrand ennio
    enola enora enrico enrique enzo ephraim eponine erell eren eric erick erika erin erine ernest ernestine erwan erwann
    erwin esme esmeralda esteban estele estelle esther ethan ethel etienne etiennette eudes eugene eugenie eulalie
    eurydice eustache eva evan evane evangeline eve evelina evelyne evgenia ewa ewan ewen eyup ezechiel ezio fabian
    fabiana fabien fabienne fabio fabiola fabrice fadi fadila faiza fanch fanny fanta fantine farah farid farida farouk
    fatiha fatima fatimah fatimata fatma fatou fatoumata faty faustin faustine fausto fedor felicia felicie felicien
    felicite felix ferdinand fernand fernanda fernande feryal filip filipe fiona firmin flavie flavien flavio fleur
    flora florence florent florentin florentine florian floriane florie florine fouad foucauld franca francelin
    francesca francine francisca francisco franck francky francois francoise frank franz fred freddy frederic frederica
    frederik frederique fredy fridolin gabin gabor gabriel gabriela gabrielle gad gael gaelig gaelle gaetan gaetane
    galaad garance gaspar gaspard gaston gatien gauthier gautier gauvain gaya gedeon genaro genevieve geoffrey geoffroy
    george georges georgette georgia georgina gerald geraldine gerard geraud germain germaine gerome gersende gervais
    gervaise ghassan ghislain ghislaine ghita ghyslain giacomo gian gianni gilbert gilberte gildas gilles gillian gina
    ginette gino gioia giorgia giorgio giovanni gisele giulia giuseppe gladys glenn gloria godefroy gontran gonzague
    grace grazia gregoire gregory greta grzegorz guenael guenaelle guenole guewen guilain guilaine guilhaume guilhem
    guillaume guillemette guillermo gulsen gunther gustave gustavo guy guylaine guylene gwen gwenael gwenaelle gwendal
    gwendoline gwendolyn gwenn gwennaelle gwenola gwenole gwladys habib habiba hadja hadrien hafida hafsa hajar hakim
    halima hamed hamid hamidou hamza hana hanane hanna hannah hans harmonie harold harouna harry hasan hasna hassan
    hatem hatice hawa haydar hector hedi hedwige heidi heike helen helena helene helga helia heliana helios heloise hend
    hendrick henri henriette henrik henry hermance hermann hermine herminie herve hicham hilaire hilal hilda hind
    hippolyte hoa hoang honore honorine horace hortense houda houria houssam hubert hubertine hugo hugues huguette
    humbert hung huong huseyin hyacinthe ian ibrahim ibrahima ibtissem ida idir idris idriss ihsan ikram ilan ilana
    ilaria ilario ilham ilhem ilian iliana iliane ilies illan illiana ilona ilse ilya ilyan ilyes imad iman imane imed
    imen imene imran ina inaya indiana indira ines ines-maria ines-sofia ingeborg ingmar ingrid inigo ioan ioana ionut
    irena irene irina iris irma irwin isaac isabeau isabel isabella isabelle isadora isaiah isaline isaure iseult
    isidore isild isis ismael ismail isolde israel issa issam itziar ivan ivana iwan iyad izia jacinthe jack jackie
    jacky jacob jacopo jacqueline jacquemine jacques jad jade jaelle jaime jakub jalil jamal jamel jamie jamila jan jana
    janelle janice janick janine janna janusz jarod jasmin jasmine jason jasper jauffrey javier jawad jayden jayson jean
    jeanette jeanne jeannette jeannine jeff jefferson jelena jenna jennifer jenny jennyfer jens jeremiah jeremie jeremy
    jerome jerzy jess jesse jessica jessie jessy jesus jibril jihane jihed jill jim jimmy jiri joachim joackim joakim
    joan joana joanna joao joaquim joaquin joaquina jocelyn jocelyne jodie joe joel joelle joey johan johann johanna
    johanne johannes john johnny jolan jon jonas jonathan jordan jordane jordi jorge jorgen joris jose josee josef
    josefa joselito joseph josephe josephine josette joshua josiah josiane josselin josua josue jovana joy joyce juan
    juanita juanito judicael judith jules julia julian juliana juliann julianne juliano julie julien julienne juliette
    julio justin justine kader kadiatou kadidia kadija kaelig kais kaled kalidou kamel kamil kamila kamilia karan karel
    karen karim karima karin karine karl karol karolina kassandra katarzyna kate kateline kathleen kathy katia katrin
    katy kayla kaylee kays keisha kelian kelig kelly keltoum kelvin kelya kemal kenan kendall kenny kenza kerem kergan
    kerian kevan kevin kevine kevyn keziah khadidja khadija khadim khadra khady khaled khalid khalil khanh kiara kieran
    kilian killian kim kimberley kimberly kiran kirsten klara klaus klervi koffi konrad korentin kristell kristen
    kristian kristina kristof krystel krzysztof kurt kylian kyllian kyra laetitia laetizia laia laila lamia lamine lamya
    lan lana laora lara larissa lars laszlo latif latifa laura laure laureen laureline laurena laurence laurene laurent
    lauriana lauriane laurie laurine lauryn layan layla lazare lea lea-marie leana leandre leandro leane leda leia leila
    leina lelia lelio lemuel lena lenaic lenaig lennie lenny leny leo leocadie leon leonard leonardo leonce leone leonid
    leonie leonor leontine leopold leopoldine leslie leticia leticya letizia levi lewis leyla lia liam lidia lidie
    lidwine lien lila lilas lilia lilian liliana liliane lilly lilou lily lilya lilyan limone lina linda lindsay line
    linh lino lionel lior liora lisa lisandre lisandro lisbeth lise lisenn lisette lison lissandre lius livia livio liya
    liz liza llona loan loane loann loanna loanne lohan loic loick loig lois lola lolita loraine lorelei lorelle lorena
    lorene lorentz lorenzo loreto lorette lorie lorine loris lorna lorraine lothaire lotta lou louai louane louay louca
    loucas loue louenn louis louis-marie louisa louise louison louka loukas loyann luan luana luann luc luca lucas luce
    lucette lucia lucian luciana luciano lucie lucien lucienne lucile lucille lucio lucrece ludivine ludmila ludovic
    ludwig luigi luis luisa luiza luka lukas lukasz luna lutz ly lya lyam lyana lydia lydie lylia lylian lylou lyna
    lynda lyne lysa lysandre lysiane maceo madalina maddalena maddie madeleine madeline mado mae mael maela maelan
    maelenn maelie maeline maelis maelle maellys maelyne maelynn maelys maeva mafalda magali magda magdalena magdalene
    magdeleine magloire mahamadou mahaut mahdi mahe mahel mahmoud mahmut mai maia maika mailys maimouna maina maite
    maitena maiwenn majid makan malaury malcolm malek malik malika mallaury mallory malo malvina mamadou mamoudou manal
    manar manel manoa manoe manolo manon manou mansour manuel manuela manuella maodan maona mara marc marceau marcel
    marcella marcelle marcellin marcello marcia marcin marco marco-antonio marcos marek mareva margareth margaretha
    margarida margarita margaux margerie margo margot marguerite maria mariam mariama mariane marianna marianne mariano
    mariapia marie marieke marielle mariette marijke marilou marilyn marilyne marilyse marin marina marine marinette
    mario marion marius marjolaine marjorie markus marlene marlon marlyse marnie maroua marouan marouane marta martha
    martial martin martine martinien marty marvin marwa marwan marwane mary maryam maryana maryeme marylene marylin
    maryline marylise marylou maryse maryvonne masha massimo massinissa mata mateja mateo mateu mathea matheo mathew
    mathias mathieu mathilda mathilde mathis mathurin mathurine mathys matilda matilde matis matisse mats matt matteo
    matteo-luca matthew matthias matthieu matthis mattia mattis mattys maud maurice mauricette mauricio maurine mauro
    mavis max maxence maxime maximilien maximilienne maximin maxine maya mayeul maylee mayline maylis mayssa mayssane
    mazarine mbaye medard medeline medina megane mehdi mehdy mehmet mei meissa melanie melchior melia melie melik melina
    melinda meline melisa melisande melissa mellie mellina melodie melody melusine melvil melvin melvyn memphis mendy
    mercedes meredith meriem merlin merve merwan meryem meryl meyline mhamed mia michael michaella michal michel
    michelangelo michele michelina micheline michelle mickael mickaela micky miguel miha mihaela mihai mikael mikaela
    mike mikel mikhail mila milan milana milane milena milenka miles milla millie milo mina minh minna miora mira
    mirabelle miranda mireia mireille mirela mirella miriam mirko miroslav miryam moana modou mohamad mohamed mohammad
    mohammed mohand mohcine moira moise monia monica monique montaine montserrat morad morgan morgane mouhamed mouloud
    mouna mounia mounir mourad moussa moustapha muhammad muhammed munira murat muriel murielle mustapha mya myla mylan
    mylena mylene myriam myriame myrna myrtille nabiha nabil nabila nacer nada nadege nadia nadine nadir nadjet nadjib
    nael nahia nahil nahla naia naila naima naissa najat najib najla najoua nala nanako nancy nans naoki naomi naomie
    naouel naoufel napoleon narcisse narimane narjes nasser nassim nassima natacha natael natalia natalie natanael
    natasha nathalie nathan nathanael nathanaelle natty nausicaa nawal nawel nayla nazaire nazim ndeye nedjma neela
    nefeli neil nele nelia nell nello nelly nelson neo neree nessa nessim nestor neven neyla ngoc ngoc-anh nia nicephore
    nicholas nico nicola nicolas nicolasa nicole nicoleta nicoletta nihel nikita niklas nikola nikolai nikolas nila nils
    nils-erik nina nine nino ninon nisrine nizar noa noah noaly noam noan noann noe noel noeli noelia noeliane noelie
    noeline noelle noeman noemie noha nohe nolan nolann nolhan nolwen nolwenn nomie noor nora norah norbert nordine
    noreddine norma norman noufissa nouha nouhaila nour noura nourdine noureddine noussaiba nuno nuria nyssa oanell
    ocean oceane oceanne octave octavie octavien odalie odelin odelina odette odile odon ogier ohana oksana olaf olena
    olesya olga olimpia oliver olivette olivia olivier olivine oly olympe omar omayma ombeline ombline omer ondine
    onesime oona ophelia ophelie ophely orane orazio oregan oren oriana oriane orianne oriol orlando orlane orphee
    orsane orso orsola orson ortance oscar osman ossama osvaldo oswald otavio othmane otilia otis otto ouafa ouarda
    ouassila ouassim oumaima oumar oumayma oumou ousman ousmane oussama owen ozan ozanne pablo pacifique pacome paloma
    pamela paola paolo paquita pascal pascale pascaline patrice patricia patricio patrick patrik patrizia patrycja paul
    paula paulette paulin paulina pauline paulo pavel pavlos pawel pearl pedro peggy penelope perceval peregrine perla
    pernelle perrin perrine persephone petar peter petr petra petronille petrus peyo pharell phedre phil philae philemon
    philibert philipp philippa philippe philippine philomene phoebe phuong pia pier pierluigi piero pierre pierrette
    pierric pierrick pierrot pietro pilar pio piotr pol polina polycarpe pricillia prisca priscilla priscille prosper
    quang quentin quitterie quoc rabah rabia rachel rachelle rachid rachida radia radouane raed rafa rafael rafaela
    rafaele raffaele raffaella rahma raihana raimond rainier raissa raja ralph rama ramata ramdane ramiro ramon ramona
    ramy ramzi rana randy rania raoul raph raphael raphaela raphaelle rasha rashid raul raya rayan rayane rayen raymond
    raymonda raymonde razane rebecca reda redouane reduane regine regis reine reinhard reinhold remedios remi remigiusz
    remo remy renan renata renato renaud rene renee reno renzo reuben reyhan rhiannon riad ric ricarda ricardo riccardo
    richard ricky rihab rihanna rihem rim rima rita rivka riwan riyad roan robbie robert roberta roberto robin robinson
    rocco rocio roderic rodolfo rodolphe rodrigo rodrigue roger rokhaya rokia roksana roland rolande romain romaine
    roman romana romane romano romaric romarin romeo romuald romulus romy ronald ronan ronnie ronny rory rosa rosalia
    rosalie rosalind rosaline rosaly rosanna rosanne rosario rosco rose roseanne roseline rosella roselyne rosemarie
    rosemonde rosetta rosie rosine rosita roxana roxane roxanna roxanne royce ruben ruby rudi rudolf rudy rufin rufus
    rui ruth ryad ryan ryane rym saad saadia sabah sabeur sabina sabine sabri sabrina sabrine sabrinel sacha sadia safa
    safia safiatou safiya safwan sahra said saida saime saina sajed sakina salah salam saliha salim salima salimata
    salimatou sally salma salmane salome saloua salvador salvatore sam samad samantha samara samba sami samia samir
    samira samson samuel samuela samy sana sanaa sandie sandra sandrin sandrine sandro sandy sandya sanjay santiago
    santino saoussen saphir saphira sara sarah saran sasha saskia satine satya saul sauveur savannah savina savine
    savinien saya scarlett scholastique sean sebastian sebastiana sebastiano sebastien segolene sekou selena selene
    selenia selia seliha selim selma selyan semia semiha sena seraphin seraphine serena serge sergei sergi sergio
    serguei serkan servais servane seth sevan severin severine seydou seynabou shaina shana shane shanna shannon sharon
    shaun shawn shayna sheila shelby sherazade shirel shirley siaka sibel sibylle sid sidi sidonie siegfried siegrid
    sienna sigismond sigolene sigrid sihem silas silvana silvere silvestre silvia silvio simao simeon simon simona
    simone simran sinan sinda siriane sirine sirius sixte sixtine skander slimane snezana soazig sofia sofian sofiane
    sofie sohan sohane soizic sokhna solal solan solange soledad solen solene solenn solenne soliman soline solveig
    sonia sonny sophia sophian sophiane sophie sophonie soraia soraya soren sorenza sorin souad soufiane souhail
    souhaila soukaina souleyman souleymane soumaya stacy stanislas stanislav stanislaw steeve stefano stella stellina
    stephan stephana stephane stephania stephanie stephany stephen sterenn steve steven stevie stine suleyman sullivan
    sully sunniva sunny susan susana susanna susanne suzan suzanna suzanne suzel suzie suzon suzy svea sven svetlana
    svitlana swan swann sybil sybille sylvain sylvaine sylvan sylvana sylvere sylvestre sylvette sylvia sylviana
    sylviane sylvie sylvio symphorien syriane syrine tacko tadeo tahar taina taissa talia taline tamar tamara tancrede
    tanguy tania tao taos tara tarek tareq tariq tasnim tatiana tatum ted teddy teila telio telma telmo teo teodor
    teodora teophane terence teresa teresina terry tess tessa tessy tetyana thaddee thais thalia thalie thanh thao thea
    thelia thelio thelma themis theo theodor theodora theodore theodoric theodosie theofane theophile theotime theoxane
    therese thi thibald thibaud thibault thibaut thiebaud thiebaut thierno thierry thiziri thomas thomasine thor
    thorsten thuy tiago tiago-miguel tibo tiburce tidiane tifaine tifany tiffanie tiffany tigrane tilio tilly tim timeo
    timothe timothee timothy timur tina tinh tino tiphaine tiphanie tiphany titia tito titouan titus tivizio tobias toby
    tom tomas tomasz tommaso tommy toni tonia tonin tonino tonio tony torben toscane toussaint tracy trang trinidad
    tristan tristana tsilla tuan tudor tugdual tullio typhaine tyron ugo ulrich ulrik ulrike ulysse umberto urbain uriel
    urielle ursula ursule uwe vadim vahe vaiana vaimiti valentin valentina valentine valere valeria valerian valeriane
    valerie valerio valeriu valery vana vanessa vania vasco vasile vassili venance venceslas vera veronika veronique
    vianney vic vicente vicenzo vickie vicky victoire victor victoria victoriano victorien victorin victorine vidal
    vincent vincente vincenza vincenzo vinciane viola violaine violetta violette violine virgil virgile virgilio
    virginia virginie vitalie vito vittoria vittorio vivaldo viviana viviane vivien vladimir vladislav volodia volodymyr
    wael wafa wahib wahiba walburge waldemar walid wanda wandrille warda wassila wassim welington wenceslas wendeline
    wendell wendy werner wesley wiktor wilfred wilfrid wilfried wilhelm wilhelmina wilhelmine wiliam willem william
    willy wilma wim winona wissam wissem wladimir wolfgang xana xandre xavier xaviera xenia ximena yacin yacine yacouba
    yael yaelle yahia yahya yamina yan yanaelle yanick yanis yaniss yanissa yann yannic yannick yannig yannis yara
    yasemin yasin yasir yasmin yasmina yasmine yasser yassin yassine yassir yassmine yaya yazan yazid yelena yelle yesim
    ylan ylana yleana ylias yllan yoan yoann yohan yohann yohanna yolaine yolande yona yonas yoni yoram yori yosra
    youcef youn youna younes younous youri yousra youssef youssouf youssoufa youssra ysaline ysee yseult ysia ysoline
    yuna yunus yuri yusra yusuf yuval yvain yvan yvanna yveline yvelise yven yves yvette yvonne yvonnick zach zacharie
    zachary zadig zahia zahir zahra zaia zakaria zakariya zakary zana zara zaria zayd zaynab zayneb zdenek zeina zeinab
    zeineb zelia zelie zeliha zeljka zena zenaida zenon zephyr zephyrin zephyrine zhora ziad zian zied zihad zilia zineb
    zinedine zita ziva zoe zofia zohra zora zoran zoubida zouhair zsofia zyad
""")
