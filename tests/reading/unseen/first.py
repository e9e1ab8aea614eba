"""The first layouts: cards, a letter, sections, a bill of apprenticeship, subrogation, an annex, lines of months."""

import calendar
from datetime import date, timedelta
from decimal import Decimal

from .case import Case, cents, euros, hours, written_day
from .producers import chromium, fpdf_letter, pdfmake, reportlab_story, typst, weasyprint, wkhtmltopdf

EXEMPT = "Exonération de TVA en vertu de l'article 261-4-4° a du Code général des impôts."
FOOT = (
    "{seller} - SARL au capital de 7 622,45 € - RCS Val-Fictif {siren} - APE 8559A - Tél. 01 99 00 47 12 - "
    "IBAN FR76 0000 0000 0000 0000 0000 097 - N° de déclaration d'activité 84 38 00471 38, cet enregistrement ne vaut "
    "pas agrément de l'État. Pénalités de retard : trois fois le taux légal ; indemnité forfaitaire de 40 €."
)


def foot(case: Case) -> str:
    """Write the small print."""
    return FOOT.format(seller=case.seller, siren=f"{case.siret[:3]} {case.siret[3:6]} {case.siret[6:9]}")


def spaced(siret: str) -> str:
    """Write a SIRET in groups."""
    return f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}"


def due(case: Case) -> date:
    """Return the day by which to pay."""
    return case.day + timedelta(days=30)


def cards(variant: int) -> tuple[bytes, Case]:
    """Labels above their values in two rows of cards, a table without rules (WeasyPrint)."""
    case = Case.draw("u01", variant)
    case.kind = "credit_note" if variant == 3 else "invoice"
    case.vat = 20 if variant == 2 else 0
    style = ("h30", "comma h", "short", "h30 loose", "point h")[variant % 5]
    naming = ("NP", "C", "PN", "CAPS", "Np")[variant % 5]
    sign = Decimal(-1 if case.kind == "credit_note" else 1)
    rows = "".join(
        f"<tr><td>{each.written(naming)}<td>{each.contract}<td class=r>{hours(each.hours, style)}"
        f"<td class=r>{euros(case.rate)}<td class=r>{euros(sign * cents(each.hours * case.rate))}"
        for each in case.people
    )
    title = "AVOIR" if case.kind == "credit_note" else "FACTURE"
    taxed = (
        f"<p class=r>Montant hors taxes <b>{euros(sign * case.net)}</b><br>"
        + (f"TVA à {case.vat} % <b>{euros(sign * case.tax)}</b><br>" if case.vat else "")
        + f"Net à payer <b>{euros(sign * (case.net + case.tax))}</b></p>"
        + ("" if case.vat else f"<p>{EXEMPT}</p>")
    )
    note = "<p>Annule et remplace partiellement la pièce F25-9981 du 03/01/2025.</p>" if sign < 0 else ""
    return weasyprint(
        f"""<style>@page{{margin:14mm}} body{{font:9.5pt "DejaVu Sans"}} .r{{text-align:right}}
        .c{{display:flex;gap:9mm;margin:4mm 0}} .c div{{width:52mm}} small{{color:#777;display:block;font-size:7pt}}
        table{{width:100%;border-spacing:0 2mm}} th{{text-align:left;color:#555;font-size:8pt}}</style>
        <div class=c><div><b>{case.seller}</b><br>{case.street}<br>{case.town}<br>Siret {spaced(case.siret)}</div>
        <div></div><div><h1>{title}</h1>Nº {case.number}</div></div>
        <div class=c><div><small>CLIENT</small>{case.buyer}<br>{case.town}</div>
        <div><small>ÉMISE LE</small>{written_day(case.day, "words")}</div>
        <div><small>À RÉGLER AVANT LE</small>{written_day(due(case), "words")}</div></div>
        <div class=c><div><small>PÉRIODE DE RÉALISATION</small>{written_day(case.start, "slash")} –
        {written_day(case.end, "slash")}</div><div><small>DOSSIER DE PRISE EN CHARGE</small>{case.dossier}</div>
        <div><small>ACTION</small>{case.title}</div></div>{note}
        <table><tr><th>Bénéficiaire<th>Contrat<th class=r>Durée<th class=r>Tarif horaire<th class=r>Montant{rows}</table>
        {taxed}<p style="font-size:6.5pt">{foot(case)}</p>"""
    ), case


def letter(variant: int) -> tuple[bytes, Case]:
    """A letter in sentences, the trainees as dashes of a list (fpdf2)."""
    case = Case.draw("u02", variant, people=(1, 4))
    first = min(case.start.day + 3 + variant, 20)
    case.start, case.end = case.start.replace(day=first), case.start.replace(day=first + 4)
    for each in case.people:
        each.contract = ""
    style = ("words", "short", "h30", "words", "comma h")[variant % 5]
    names = [f"{each.written('C')}, {hours(each.hours, style)}" for each in case.people]
    month = written_day(case.end, "words")
    span = (
        f"du {case.start.day} au {month}"
        if variant % 2
        else f"du {written_day(case.start, 'slash')} au {written_day(case.end, 'slash')}"
    )
    town = case.town.split(" ", 1)[1].title()
    listed = [f"  - {each} ;" for each in names] if variant != 4 else ["Il s'agit de " + " et ".join(names) + "."]
    whole = f"{case.seller}\n{case.street}\n{case.town}\nSIRET {case.siret}"
    lines = [
        f"{town}, le {written_day(case.day, 'words')}", "",
        f"Objet : facture n° {case.number}", f"Votre accord de prise en charge n° {case.dossier}", "",
        "Madame, Monsieur,", "",
        f"Nous vous adressons la facture de la formation « {case.title} », qui s'est tenue {span} dans nos locaux.",
        "Y ont participé :" if len(case.people) > 1 else "Y a participé :", *listed, "",
        f"soit {hours(case.hours, style)} au total, au tarif de {euros(case.rate)} l'heure.", "",
        f"Le montant de la présente facture s'élève à {euros(case.net)}, net de taxe.", EXEMPT, "",
        f"Nous vous remercions de bien vouloir nous régler par virement avant le {written_day(due(case), 'words')}.",
        "Veuillez agréer, Madame, Monsieur, nos salutations distinguées.", "", "La directrice, Mme Solange PERRAULT",
    ]  # fmt: skip
    return fpdf_letter(whole, f"{case.buyer}\nService gestion\n{case.street}\n{case.town}", lines, foot(case)), case


def sections(variant: int) -> tuple[bytes, Case]:
    """A section for each trainee, with the modules followed and a sum (Typst)."""
    case = Case.draw("u03", variant, people=(2, 4))
    style = ("comma", "point", "h30", "comma h", "bare")[variant % 5]
    blocks = []
    for number, each in enumerate(case.people, 1):
        part = (each.hours / 2 * 4).quantize(Decimal(1)) / 4
        parts = [part, each.hours - part]
        rows = "".join(
            f"[{what}],[{hours(h, style)}]," for what, h in zip(("Anglais technique", "Atelier"), parts, strict=True)
        )
        blocks.append(
            f"#v(3mm)\n*{number}. {each.written('PN' if variant % 2 else 'NP')}* — contrat n° {each.contract}\n"
            f"#table(columns:(1fr,30mm),stroke:{'0.4pt' if variant % 2 else 'none'},[Module],[Heures],{rows}"
            f"[Sous-total {each.written('NP')}],[{hours(each.hours, style)}])\n"
            f"{hours(each.hours, 'short')} × {euros(case.rate)} = {euros(cents(each.hours * case.rate))}\n"
        )
    months = f"{['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre'][case.start.month - 1]} {case.start.year}"
    return typst(
        f"""#set page(paper:"a4",margin:18mm,footer:[#text(6pt)[{foot(case)}]])
#set text(font:"DejaVu Sans",size:9pt,lang:"fr")
#grid(columns:(1fr,1fr),[*{case.seller}* \\ {case.street} \\ {case.town} \\ N° SIRET : {case.siret}],
[#align(right)[Destinataire : \\ {case.buyer} \\ {case.town}]])
= Facture de formation en alternance
Pièce comptable : {case.number} \\
Date de la pièce : {written_day(case.day, "dot")} \\
Mois facturé : {months} \\
Dossier : {case.dossier}
{"".join(blocks)}
#line(length:100%)
*Récapitulatif* : nombre total d'heures {hours(case.hours, style)} — montant total {euros(case.net)} (TVA : néant) \\
Total à payer : {euros(case.net)}. {EXEMPT}"""
    ), case


def apprenticeship(variant: int) -> tuple[bytes, Case]:
    """What a CFA bills: an instalment of each contract's price, with the hours done (pdfmake)."""
    case = Case.draw("u04", variant, people=(1, 5))
    style = ("comma", "h30", "bare", "point", "comma h")[variant % 5]
    parts = {each.contract: Decimal(case.rng.randint(2000, 3200)) / 4 for each in case.people}
    case.amount = sum(parts.values(), Decimal())
    span = f"{case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}"
    body = [["Apprenti(e)", "N° DECA", "Formation", "Période d'exécution", "Heures réalisées", "Échéance (€)"]]
    body += [
        [each.written(("NP", "Np", "CAPS", "NP", "PN")[variant % 5]), each.contract, case.title, span,
         hours(each.hours, style), euros(parts[each.contract], sign="")]
        for each in case.people
    ]  # fmt: skip
    body += [["TOTAL", "", "", "", hours(case.hours, style), euros(case.net, sign="")]]
    return pdfmake(
        {
            "pageSize": "A4",
            "pageMargins": [30, 40, 30, 60],
            "footer": {"text": foot(case), "fontSize": 6, "margin": [30, 10]},
            "defaultStyle": {"fontSize": 8.5},
            "content": [
                {"columns": [f"{case.seller}\n{case.street}\n{case.town}\nSIRET : {spaced(case.siret)}\nUAI : 0389999Z",
                             {"text": f"{case.buyer}\n{case.street}\n{case.town}", "alignment": "right"}]},
                {"text": f"\nFACTURE N° {case.number} du {case.day:%d/%m/%Y}\n", "fontSize": 13, "bold": True},
                f"Contrats d'apprentissage - échéance n° {variant + 1} - N° engagement : {case.dossier}",
                f"Employeur : {case.company} (SIRET {case.other_siret})\n\n",
                {"table": {"headerRows": 1, "widths": ["*", 82, 80, 72, 50, 55], "body": body}},
                {"text": f"\nNET À PAYER : {euros(case.net)}", "alignment": "right", "bold": True},
                f"\n{EXEMPT}\nPaiement à 30 jours, soit le {due(case):%d/%m/%Y}.",
            ],
        }
    ), case  # fmt: skip


def subrogation(variant: int) -> tuple[bytes, Case]:
    """An invoice to an OPCO in place of the employer, counted in half-days or hours (ReportLab)."""
    case = Case.draw("u05", variant, people=(1, 5))
    halves = variant in (1, 3)
    case.rate = Decimal(160) if halves else case.rate
    for each in case.people:
        each.contract = ""
        if halves:
            each.hours = Decimal(case.rng.randint(2, 12))
    case.unit = "half_day" if halves else "hour"
    case.start = case.start.replace(day=8)
    case.end = case.start.replace(day=19)
    head = [
        "Nom et prénom du stagiaire",
        "Demi-journées" if halves else "Durée suivie (h)",
        "Coût unitaire",
        "Total net",
    ]
    rows = [
        [each.written(("COMMA", "CN", "NP", "PN", "CAPS")[variant % 5]),
         f"{each.hours} demi-journées" if halves else hours(each.hours, "comma"),
         euros(case.rate), euros(cents(each.hours * case.rate))]
        for each in case.people
    ]  # fmt: skip
    count = f"{case.hours} demi-journées" if halves else hours(case.hours, "comma")
    foot_row = ["Ensemble", count, "", euros(case.net)]
    left = [
        f"<b>{case.seller}</b>", case.street, case.town, f"Siret : {case.siret}", "NDA : 84380047138",
    ]  # fmt: skip
    right = [f"À l'attention de <b>{case.buyer}</b>", "Service subrogation", case.town]
    facts = [
        ["Référence de la facture", case.number],
        ["Établie le", written_day(case.day, "dash")],
        ["Entreprise adhérente", f"{case.company} - SIRET {case.other_siret}"],
        ["N° de dossier OPCO", case.dossier],
        ["Intitulé du stage", case.title],
        ["Dates du stage", f"{written_day(case.start, 'dash')} → {written_day(case.end, 'dash')}" if variant % 2 else
         f"du {case.start:%d/%m/%y} au {case.end:%d/%m/%y}"],
    ]  # fmt: skip
    sums = [f"Total net de taxes : {euros(case.net)}", EXEMPT, f"Payable au plus tard le {due(case):%d-%m-%Y}"]
    intro = f"Facture libellée à {case.buyer} dans le cadre de la subrogation de paiement."
    return reportlab_story(left, right, intro, facts, [head, *rows, foot_row], sums, foot(case)), case


def annexed(variant: int) -> tuple[bytes, Case]:
    """One line for the session; the class in an annex on the second page (wkhtmltopdf)."""
    case = Case.draw("u06", variant, people=(4, 14))
    each_hours = Decimal(case.rng.choice((7, 14, 21)))
    for each in case.people:
        each.hours, each.contract = each_hours, ""
    if variant in (1, 4):
        case.people[-1].hours = each_hours - Decimal("3.5")
    case.start = case.start.replace(day=12)
    case.end = case.start if each_hours == 7 else case.start + timedelta(days=int(each_hours / 7) - 1)
    case.vat, case.buyer = 20 if variant % 2 else 0, case.company
    one_day = case.start == case.end
    when = f"le {written_day(case.start, 'words')}" if one_day else f"du {case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}"
    rows = "".join(
        f"<tr><td>{n}<td>{each.last}<td>{each.first}<td>{hours(each.hours, 'comma')}"
        for n, each in enumerate(case.people, 1)
    )
    total = f"<tr><td>TVA {case.vat} %<td>{euros(case.tax)}" if case.vat else "<tr><td colspan=2>TVA non applicable"
    return wkhtmltopdf(
        f"""<meta charset=utf-8><style>body{{font:12px "Liberation Sans"}} td,th{{padding:3px 8px;text-align:left}}
        .t td,.t th{{border:1px solid #888}} .t{{border-collapse:collapse;width:100%}}</style>
        <table width=100%><tr><td><b>{case.seller}</b><br>{case.street}<br>{case.town}<br>SIRET {case.siret}
        <td><b>Facture</b> {case.number}<br>Date : {case.day:%d/%m/%Y}<br>Page 1/2</table>
        <p style="margin-left:50%">{case.buyer}<br>{case.street}<br>{case.town}<br>N° SIRET client : {case.other_siret}</p>
        <p>Convention n° {case.dossier}</p>
        <table class=t><tr><th>Désignation<th>Qté<th>PU HT<th>Total HT
        <tr><td>Formation intra-entreprise « {case.title} »<br>réalisée {when}<br>{len(case.people)} participants
        (liste en annexe)<td>{hours(case.hours, "comma")} h<td>{euros(case.rate)}<td>{euros(case.net)}</table>
        <table style="margin-left:60%"><tr><td>Total HT<td>{euros(case.net)}{total}<tr><td><b>Total TTC</b>
        <td>{euros(case.net + case.tax)}</table><p>Échéance : {due(case):%d/%m/%Y}</p><p style="font-size:8px">{foot(case)}</p>
        <div style="page-break-before:always"><h3>Annexe à la facture {case.number} : liste nominative</h3>
        <table class=t><tr><th>N°<th>Nom<th>Prénom<th>Heures suivies{rows}<tr><td><td>Total<td><td>{hours(case.hours, "comma")}
        </table></div>"""
    ), case


def months(variant: int) -> tuple[bytes, Case]:
    """One line for each trainee and month of a quarter (Chromium)."""
    case = Case.draw("u07", variant, people=(1, 4))
    quarter = variant % 4
    case.start = date(2026, 3 * quarter + 1, 1)
    case.end = date(2026, 3 * quarter + 3, calendar.monthrange(2026, 3 * quarter + 3)[1])
    case.day = case.end + timedelta(days=4)
    style = ("h30", "comma", "point", "short", "comma h")[variant % 5]
    rows = ""
    for each in case.people:
        each.hours = Decimal()
        for month in range(case.start.month, case.end.month + 1):
            some = case.some_hours()
            each.hours += some
            rows += (
                f"<tr><td>{each.written('NP')}<td>{month:02d}/2026<td>{each.contract}<td>{hours(some, style)}"
                f"<td>{euros(case.rate, sign='')}<td>{euros(cents(some * case.rate), sign='')}"
            )
    case.amount = sum((cents(each.hours * case.rate) for each in case.people), Decimal())
    nth = ("1er", "2e", "3e", "4e")[quarter]
    span = f"{nth} trimestre 2026" if variant % 2 else f"du {case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}"
    return chromium(
        f"""<meta charset=utf-8><style>body{{font:13px "Noto Sans","DejaVu Sans"}} td,th{{padding:2px 6px;text-align:left;
        border-bottom:1px solid #ddd}} table{{border-collapse:collapse;width:100%}} .h{{display:grid;
        grid-template-columns:1fr 1fr;gap:20px}}</style><div class=h><div><b>{case.seller}</b><br>{case.street}<br>{case.town}
        <br>SIRET : {spaced(case.siret)}</div><div>Facturé à :<br>{case.buyer}<br>{case.town}</div></div>
        <h2>Facture {case.number}</h2><div class=h><div>Date d'émission : {written_day(case.day, "words")}<br>
        Date limite de paiement : {written_day(due(case), "words")}</div><div>Prestations : {span}<br>N° d'accord :
        {case.dossier}</div></div>
        <table><tr><th>Alternant<th>Mois<th>Contrat<th>Heures<th>Taux (€/h)<th>Montant (€){rows}</table>
        <p><b>Total heures : {hours(case.hours, style)}</b></p><p>Total HT : {euros(case.net)}<br>TVA (0 %) : 0,00 €<br>
        <b>Total TTC : {euros(case.net)}</b></p><p>{EXEMPT}</p><p style="font-size:9px">{foot(case)}</p>"""
    ), case


LAYOUTS = (cards, letter, sections, apprenticeship, subrogation, annexed, months)
