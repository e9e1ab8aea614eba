"""The third layouts, written after the rules had seen the first two: boxes, trainees as columns, a filled-in form, days."""

from datetime import timedelta
from decimal import Decimal

from .case import MONTHS, NB, THIN, Case, cents, euros, hours, written_day
from .first import EXEMPT, due, foot, spaced
from .producers import (
    chromium,
    filled_in,
    fpdf_letter,
    groff,
    pdfkit_placed,
    pdfmake,
    reportlab_story,
    typst,
    weasyprint,
    wkhtmltopdf,
    xhtml2pdf,
)

_WEEK = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def boxes(variant: int) -> tuple[bytes, Case]:
    """A box for each trainee, two side by side (WeasyPrint)."""
    case = Case.draw("w01", variant, people=(2, 6))
    style = ("comma", "h30", "short", "point h")[variant % 4]
    naming = ("NP", "PN", "C", "Np")[variant % 4]
    items = "".join(
        f"<div class=b><b>{each.written(naming)}</b><br>Contrat {each.contract}<br>Heures suivies : {hours(each.hours, style)}"
        f"<br>À payer : {euros(cents(each.hours * case.rate))}</div>"
        for each in case.people
    )
    return weasyprint(
        f"""<style>@page{{margin:16mm}} body{{font:9pt "Liberation Sans"}} .g{{display:flex;flex-wrap:wrap;gap:4mm}}
        .b{{width:78mm;border:.5pt solid #aaa;padding:2mm}}</style><h2>{case.seller}</h2><p>{case.street} - {case.town} -
        SIRET {spaced(case.siret)}</p><h3>FACTURE {case.number} / {written_day(case.day, "slash")}</h3>
        <p>Adressée à : {case.buyer}, {case.town}</p><p>Heures de formation dispensées entre le
        {written_day(case.start, "slash")} et le {written_day(case.end, "slash")}, dossier {case.dossier}</p>
        <div class=g>{items}</div><p><b>{len(case.people)} bénéficiaires, {hours(case.hours, style)} au total, taux horaire
        {euros(case.rate)}</b></p><p>TOTAL NET {euros(case.net)}</p><p>{EXEMPT}</p><p style="font-size:6pt">{foot(case)}</p>"""
    ), case


def transposed(variant: int) -> tuple[bytes, Case]:
    """A table whose columns are the trainees (Typst)."""
    case = Case.draw("w02", variant, people=(2, 3))
    style = ("comma", "h30", "comma h", "bare")[variant % 4]
    people = case.people
    cols = ",".join(["auto"] + ["1fr"] * (len(people) + 1))
    table = "".join(
        f"[{label}],{''.join(f'[{each}],' for each in cells)}[{total}],"
        for label, cells, total in (
            ("Apprenant", [each.written("NP") for each in people], "Total"),
            ("Contrat", [each.contract for each in people], ""),
            ("Heures", [hours(each.hours, style) for each in people], hours(case.hours, style)),
            ("Montant", [euros(cents(each.hours * case.rate), THIN) for each in people], euros(case.net, THIN)),
        )
    )
    return typst(
        f"""#set page(paper:"a4",margin:16mm,footer:[#text(6pt)[{foot(case)}]])
#set text(font:"DejaVu Serif",size:8.5pt,lang:"fr")
#align(center)[*{case.seller}* · {case.street} · {case.town} · SIRET {case.siret}]
#v(5mm)
#align(right)[{case.buyer} \\ {case.street} \\ {case.town}]
Facture N° *{case.number}* en date du *{written_day(case.day, "words")}* — réf. dossier : {case.dossier}
#v(3mm) Objet : {case.title}, mois de {MONTHS[case.start.month - 1]} {case.start.year}, taux horaire {euros(case.rate)}
#table(columns:({cols}),{table})
Net à payer (exonéré de TVA) : {euros(case.net, THIN)} avant le {written_day(due(case), "slash")}. {EXEMPT}"""
    ), case


def acroform(variant: int) -> tuple[bytes, Case]:
    """A form with fields that were filled in (ReportLab)."""
    case = Case.draw("w03", variant, people=(1, 4))
    for each in case.people:  # the fields of this producer take no other letters
        each.last = each.last.replace("Œ", "OE").replace("Ń", "N").encode("latin-1", "ignore").decode("latin-1")
    texts = [(40, 800, case.seller), (40, 786, case.street), (40, 772, case.town), (40, 758, f"SIRET : {case.siret}"),
             (40, 720, "Facture n°"), (300, 720, "Date de facture"), (40, 696, "Client"), (300, 696, "N° de dossier"),
             (40, 672, "Période du"), (220, 672, "au"), (40, 640, "Nom et prénom"), (280, 640, "Contrat"),
             (410, 640, "Heures"), (480, 640, "Montant HT")]  # fmt: skip
    fields = [(100, 716, 150, case.number), (390, 716, 120, written_day(case.day, "slash")), (100, 692, 150, case.buyer),
              (390, 692, 120, case.dossier), (100, 668, 90, written_day(case.start, "slash")),
              (250, 668, 90, written_day(case.end, "slash"))]  # fmt: skip
    y = 616
    for each in case.people:
        fields += [(40, y, 220, each.written("NP")), (280, y, 120, each.contract), (410, y, 55, hours(each.hours, "comma")),
                   (480, y, 80, euros(cents(each.hours * case.rate), " ", ""))]  # fmt: skip
        y -= 22
    texts += [(330, y, "Total heures"), (40, y - 30, f"Taux horaire : {euros(case.rate)}"), (330, y - 30, "Total HT"),
              (330, y - 52, "TVA"), (330, y - 74, "Total TTC"), (40, y - 110, EXEMPT)]  # fmt: skip
    fields += [(410, y - 4, 55, hours(case.hours, "comma")), (480, y - 34, 80, euros(case.net, " ", "")),
               (480, y - 56, 80, "0,00"), (480, y - 78, 80, euros(case.net, " ", ""))]  # fmt: skip
    return filled_in(texts, fields), case


def numbered(variant: int) -> tuple[bytes, Case]:
    """The list of trainees first, with numbers; their hours in sentences of those numbers (fpdf2)."""
    case = Case.draw("w04", variant, people=(2, 6))
    for each in case.people:
        each.contract = ""
    style = ("short", "h30", "comma h", "words")[variant % 4]
    case.start = case.start.replace(day=5)
    lines = [
        f"FACTURE N° {case.number}", f"Date : {written_day(case.day, 'words')}", f"Dossier : {case.dossier}", "",
        f"Formation : {case.title}", f"Dates : {written_day(case.start, 'slash')} - {written_day(case.end, 'slash')}", "",
        "Liste des stagiaires :",
        *(f"{n}. {each.written('NP' if variant % 2 else 'PN')}" for n, each in enumerate(case.people, 1)), "",
        "Heures de présence :",
        *(f"Stagiaire {n} : {hours(each.hours, style)}" for n, each in enumerate(case.people, 1)), "",
        f"Total des heures de présence : {hours(case.hours, style)}", f"Prix horaire : {euros(case.rate)}", "",
        f"Total HT : {euros(case.net)}", "TVA : 0,00 €", f"Total TTC : {euros(case.net)}", "", EXEMPT,
    ]  # fmt: skip
    sender = f"{case.seller}\n{case.street}\n{case.town}\nSIRET {case.siret}"
    return fpdf_letter(sender, f"{case.buyer}\n{case.street}\n{case.town}", lines, foot(case)), case


def staffed(variant: int) -> tuple[bytes, Case]:
    """A story for one to three employees of a company: weekdays written out, days beside hours (ReportLab)."""
    case = Case.draw("w05", variant, people=(1, 3))
    days = (2, 3, 1, 5)[variant % 4]
    for each in case.people:
        each.hours, each.contract = Decimal(7 * days), ""
    case.start = case.start + timedelta(days=(7 - case.start.weekday()) % 7)
    case.end = case.start + timedelta(days=days - 1)
    case.day = case.end + timedelta(days=3)
    case.buyer, case.dossier, case.vat = case.company, "", 20 if variant % 2 else 0
    first, last = _WEEK[case.start.weekday()], _WEEK[case.end.weekday()]
    month = f"{MONTHS[case.end.month - 1]} {case.end.year}"
    when = (
        f"le {first} {written_day(case.start, 'words')}"
        if days == 1
        else f"du {first} {case.start.day} au {last} {case.end.day} {month}"
    )
    if case.start.month != case.end.month:
        when = f"du {first} {written_day(case.start, 'words')} au {last} {written_day(case.end, 'words')}"
    names = " et ".join(
        [", ".join(each.written("C") for each in case.people[:-1]), case.people[-1].written("C")]
    ).removeprefix(" et ")
    facts = [
        ["Facture", case.number], ["Date", f"{_WEEK[case.day.weekday()]} {written_day(case.day, 'words')}"],
        ["Action de formation", case.title], ["Réalisée", when],
        ["Durée", f"{days} jour{'s' * (days > 1)}, soit {7 * days} heures par personne"],
        ["Au profit de", names], ["Formateur", "M. Hector DUMOULINET"],
    ]  # fmt: skip
    table = [["Libellé", "Heures-stagiaires", "Prix HT", "Total HT"],
             [case.title, f"{7 * days * len(case.people)}", euros(case.rate), euros(case.net)]]  # fmt: skip
    sums = [
        f"Total HT : {euros(case.net)}",
        f"TVA {case.vat} % : {euros(case.tax)}",
        f"Net à payer : {euros(case.net + case.tax)}",
    ]
    left = [f"<b>{case.seller}</b>", case.street, case.town, f"SIRET : {case.siret}"]
    right = [f"<b>{case.company}</b>", case.street, case.town]
    return reportlab_story(left, right, "", facts, table, sums, foot(case)), case


def daily(variant: int) -> tuple[bytes, Case]:
    """One line for each day and trainee, and a summary by trainee at the end (pdfmake)."""
    case = Case.draw("w06", variant, people=(2, 3))
    style = ("comma", "h30", "bare", "point")[variant % 4]
    days = [case.start + timedelta(days=n) for n in (1, 8, 15)]
    body = [["Jour", "Participant", "Module", "Heures"]]
    for each in case.people:
        each.hours, each.contract = Decimal(), ""
    for day in days:
        for each in case.people:
            some = Decimal(case.rng.choice(("3.5", "7", "6.5")))
            each.hours += some
            body.append([f"{day:%d/%m/%Y}", each.written("NP"), "Pratique encadrée", hours(some, style)])
    summary = [["Participant", "Heures", "Montant"]]
    summary += [
        [each.written("NP"), hours(each.hours, style), euros(cents(each.hours * case.rate), sign="")]
        for each in case.people
    ]
    summary += [["Total", hours(case.hours, style), euros(case.net, sign="")]]
    return pdfmake(
        {
            "footer": {"text": foot(case), "fontSize": 6, "margin": [30, 10]},
            "defaultStyle": {"fontSize": 9},
            "content": [
                f"{case.seller}, {case.street}, {case.town}\nSIRET {spaced(case.siret)}",
                {"text": f"{case.buyer}\n{case.town}", "alignment": "right"},
                {"text": f"Facture {case.number}", "fontSize": 14},
                f"Émise le {case.day:%d/%m/%Y} - période du {case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}",
                f"Accord de financement n° {case.dossier}\n\n",
                {"table": {"headerRows": 1, "widths": [70, "*", 120, 50], "body": body}},
                {"text": f"\nRécapitulatif (taux horaire : {euros(case.rate)})\n", "bold": True},
                {
                    "table": {"headerRows": 1, "widths": ["*", 60, 80], "body": summary},
                    "layout": "lightHorizontalLines",
                },
                f"\nTotal HT : {euros(case.net)}     TVA : 0,00 €     Total TTC : {euros(case.net)}\n{EXEMPT}",
            ],
        }
    ), case


def absences(variant: int) -> tuple[bytes, Case]:
    """Hours planned, missed and billed in columns, over two pages (wkhtmltopdf)."""
    case = Case.draw("w07", variant, people=(3, 30) if variant % 2 else (3, 8))
    style = ("comma", "h30", "bare", "point")[variant % 4]
    rows = ""
    planned = missed = Decimal()
    for each in case.people:
        away = Decimal(case.rng.choice(("0", "0", "3.5", "7")))
        planned, missed = planned + each.hours + away, missed + away
        rows += (
            f"<tr><td>{each.written('CAPS' if variant % 2 else 'Np')}<td>{each.contract}<td>{hours(each.hours + away, style)}"
            f"<td>{hours(away, style)}<td>{hours(each.hours, style)}<td>{euros(cents(each.hours * case.rate), NB)}"
        )
    month = f"{MONTHS[case.start.month - 1].upper()} {case.start.year}"
    return wkhtmltopdf(
        f"""<meta charset=utf-8><style>body{{font:11px "DejaVu Sans"}} td,th{{border:1px solid #444;padding:3px 5px}}
        table{{border-collapse:collapse;width:100%}} tr{{page-break-inside:avoid}} thead{{display:table-header-group}}</style>
        <div style="float:right">{case.buyer}<br>{case.street}<br>{case.town}</div>
        <div>{case.seller}<br>{case.street}<br>{case.town}<br>SIRET {case.siret} - NDA 84 38 00471 38</div>
        <h2>FACTURE {case.number}</h2><p>Date facture : {case.day:%d/%m/%Y} &nbsp; Échéance : {due(case):%d/%m/%Y}<br>
        Mois : {month}<br>Réf. dossier : {case.dossier}</p><table><thead><tr><th>NOM Prénom<th>N° contrat<th>H. prévues
        <th>H. absence<th>H. facturées<th>Montant</thead>{rows}<tr><td>TOTAL<td><td>{hours(planned, style)}
        <td>{hours(missed, style)}<td>{hours(case.hours, style)}<td>{euros(case.net, NB)}</table>
        <p>Prix de l'heure : {euros(case.rate)}. Net à payer : {euros(case.net, NB)} ({EXEMPT})</p>
        <p style="font-size:7px">{foot(case)}</p>"""
    ), case


def termed(variant: int) -> tuple[bytes, Case]:
    """A short invoice with an attendance sheet and terms behind it (xhtml2pdf)."""
    case = Case.draw("w08", variant, people=(2, 5))
    for each in case.people:
        each.last = each.last.replace("Ń", "N")  # the standard fonts have no such letter
        each.contract = ""
    style = ("comma h", "short", "h30", "point h")[variant % 4]
    first = case.start + timedelta(days=(7 - case.start.weekday()) % 7)
    case.start, case.end = first, first + timedelta(days=4)
    case.day = case.end + timedelta(days=9)
    rows = "".join(f"<tr><td>{each.written('CN')}</td><td>{hours(each.hours, style)}</td></tr>" for each in case.people)
    signed = "".join(
        f"<tr><td>{each.written('NP')}</td><td>3,50</td><td>3,50</td><td>signé</td></tr>" for each in case.people
    )
    month = f"{MONTHS[case.end.month - 1]} {case.end.year}"
    span = (
        f"du lundi {case.start.day} au vendredi {case.end.day} {month}"
        if case.start.month == case.end.month
        else f"du {written_day(case.start, 'words')} au {written_day(case.end, 'words')}"
    )
    return xhtml2pdf(
        f"""<style>@page{{size:a4;margin:1.8cm}} body{{font-family:Times-Roman;font-size:10pt}} td,th{{text-align:left}}</style>
        <p>{case.seller}<br>{case.street}<br>{case.town}<br>N° SIRET {spaced(case.siret)}</p>
        <p align="right">Doit : {case.buyer}<br>{case.street}<br>{case.town}</p>
        <h1>Facture</h1><p>Numéro : {case.number}<br>Date : {written_day(case.day, "words")}<br>
        N° prise en charge : {case.dossier}</p><p>Stage « {case.title} » organisé {span}, horaires 9h-12h30 et 14h-17h30.</p>
        <table><tr><th>Stagiaire</th><th>Durée</th></tr>{rows}</table>
        <p>Durée totale : {hours(case.hours, style)} à {euros(case.rate)} de l'heure<br>
        Montant total net de TVA : {euros(case.net)}</p><p>{EXEMPT}</p><p style="font-size:7pt">{foot(case)}</p>
        <pdf:nextpage /><h2>Feuille d'émargement</h2><p>Formateur : M. Hector DUMOULINET - {written_day(case.start, "slash")}</p>
        <table><tr><th>Nom Prénom</th><th>Matin</th><th>Après-midi</th><th>Signature</th></tr>{signed}</table>
        <pdf:nextpage /><h2>Conditions générales de vente</h2><p>Article 1 - Toute commande du 01/01/2020 au 31/12/2020 est
        soumise aux présentes. Article 2 - En cas d'annulation à moins de 10 jours, 50 % du montant est dû.
        Le médiateur est Mme Irène VASSALIEU, 12 heures par semaine.</p>"""
    ), case


def funded(variant: int) -> tuple[bytes, Case]:
    """One trainee of the personal training account, labels with dots (PDFKit)."""
    case = Case.draw("w09", variant, people=(1, 1))
    only = case.people[0]
    only.contract = ""
    style = ("comma", "words", "h30 loose", "short")[variant % 4]
    case.buyer = "Caisse Fictive des Dépôts Formation"
    case.start = case.start.replace(day=4)
    only.hours = max(only.hours, Decimal(14))
    facts = [
        ("Numéro de facture", case.number), ("Date de facture", written_day(case.day, "dash")),
        ("Numéro de dossier de formation", case.dossier), ("Titulaire du compte", only.written(("C", "PN", "NP", "COMMA")[variant % 4])),
        ("Intitulé de la formation", case.title), ("Entrée en formation", written_day(case.start, "dash")),
        ("Sortie de formation", written_day(case.end, "dash")), ("Taux de réalisation", "100 %"),
        ("Nombre d'heures réalisées", hours(only.hours, style)), ("Coût horaire", euros(case.rate)),
        ("Montant HT", euros(case.net)), ("Montant TVA", "0,00 €"), ("Montant TTC", euros(case.net)),
    ]  # fmt: skip
    placed = [(40, 40, case.seller, 13), (40, 58, f"{case.street} {case.town}", 9), (40, 70, f"Siret {case.siret}", 9),
              (340, 100, case.buyer, 10), (340, 114, case.town, 10), (40, 160, "FACTURE", 18)]  # fmt: skip
    for n, (label, value) in enumerate(facts):
        placed += [(40, 200 + 18 * n, f"{label} " + "." * (52 - len(label)), 9), (330, 200 + 18 * n, value, 9)]
    placed.append((40, 470, EXEMPT, 8))
    return pdfkit_placed(placed, foot(case)), case


def cancelled(variant: int) -> tuple[bytes, Case]:
    """A credit note that takes hours of some trainees back, in sentences of a listing (groff, Chromium)."""
    case = Case.draw("w10", variant, people=(1, 4))
    case.kind = "credit_note"
    for each in case.people:
        each.contract = ""
    case.start = case.start.replace(day=10)
    old = f"FA-{case.start.year}-0042"
    issued = written_day(case.start - timedelta(days=2), "slash")
    if variant % 2:
        rows = "".join(
            f"<tr><td>Annulation heures {each.written('C')}<td>-{hours(each.hours, 'comma')} h<td>{euros(case.rate)}"
            f"<td>{euros(-cents(each.hours * case.rate))}"
            for each in case.people
        )
        return chromium(
            f"""<meta charset=utf-8><style>body{{font:13px "DejaVu Sans"}} td,th{{padding:4px 12px;text-align:left}}</style>
            <p><b>{case.seller}</b><br>{case.street}<br>{case.town}<br>SIRET {case.siret}</p><p style="margin-left:60%">
            {case.buyer}<br>{case.town}</p><h2>Note de crédit n° {case.number}</h2><p>Date : {written_day(case.day, "dot")}<br>
            Concerne la facture n° {old} du {issued}<br>Dossier n° {case.dossier}<br>Période concernée : du {case.start:%d/%m/%Y} au
            {case.end:%d/%m/%Y}</p><table><tr><th>Libellé<th>Quantité<th>P.U.<th>Montant{rows}</table><p>Total heures :
            -{hours(case.hours, "comma")}<br>Total HT : {euros(-case.net)}<br>TVA 0 % : 0,00 €<br>Total TTC : {euros(-case.net)}
            </p><p>{EXEMPT}</p><p style="font-size:9px">{foot(case)}</p>"""
        ), case
    lines = [
        case.seller.upper(), case.street.upper(), case.town, f"SIRET : {case.siret}", "",
        f"{'':<44}{case.buyer.upper()}", f"{'':<44}{case.town}", "",
        f"AVOIR N° {case.number} DU {case.day:%d/%m/%Y}", f"EN ANNULATION PARTIELLE DE LA FACTURE {old} DU {issued}", "",
        f"DOSSIER : {case.dossier}", f"PERIODE : {case.start:%d/%m/%Y} - {case.end:%d/%m/%Y}", "", "STAGIAIRES :",
        *(f"   {each.written('CAPS'):<36} {hours(each.hours, 'comma'):>8} H  X {euros(case.rate, '', ''):>6}"
          f" = {euros(cents(each.hours * case.rate), '', ''):>10}" for each in case.people), "",
        f"TOTAL HEURES : {hours(case.hours, 'comma')}", f"TOTAL A VOTRE CREDIT : {euros(case.net, ' ', ' EUR')}",
        "TVA NON APPLICABLE - ARTICLE 261-4-4 DU CGI",
    ]  # fmt: skip
    return groff(lines), case


LAYOUTS = (boxes, transposed, acroform, numbered, staffed, daily, absences, termed, funded, cancelled)
