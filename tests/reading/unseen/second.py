"""The second layouts, written after the rules had seen the first: grids, bullets, a wide list, a form, a listing."""

from datetime import date, timedelta
from decimal import Decimal

from .case import MONTHS, NB, THIN, Case, cents, euros, hours, written_day
from .first import EXEMPT, due, foot, spaced
from .producers import chromium, groff, jspdf_grid, pdfkit_placed, typst, weasyprint, xhtml2pdf


def grid(variant: int) -> tuple[bytes, Case]:
    """A striped grid whose designation tells training, name and days of each line (jsPDF)."""
    case = Case.draw("v01", variant, people=(1, 7))
    case.vat = 20 if variant == 4 else 0
    case.kind = "credit_note" if variant == 3 else "invoice"
    for each in case.people:
        each.contract = ""
    case.start, case.end = case.start.replace(day=6), case.start.replace(day=24)
    style = ("point", "comma", "bare", "comma", "point")[variant % 5]
    span = f"du {case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}"
    rows = [
        [f"{n}", f"{case.title} - {each.written('NP' if variant % 2 else 'C')} - {span}", hours(each.hours, style), "h",
         euros(case.rate, " ", ""), euros(cents(each.hours * case.rate), " ", "")]
        for n, each in enumerate(case.people, 1)
    ]  # fmt: skip
    head = ["Ligne", "Désignation", "Qté", "Unité", "P.U. HT", "Total HT"]
    top = [
        f"{'AVOIR' if case.kind == 'credit_note' else 'FACTURE'} {case.number}",
        f"En date du {written_day(case.day, 'words')}",
        f"Votre réf. : {case.dossier}",
    ]
    if case.kind == "credit_note":
        top.append("Sur facture FA-0113 du 02/01/2025")
    sums = [["Total HT", euros(case.net, " ")], [f"TVA {case.vat},00 %", euros(case.tax, " ")],
            ["TOTAL TTC", euros(case.net + case.tax, " ")]]  # fmt: skip
    left = [case.seller, case.street, case.town, f"N° Siret {spaced(case.siret)} - N° DA 84380047138"]
    right = ["Adresse de facturation", case.buyer, case.street, case.town]
    return jspdf_grid(left, right, top, head, rows, sums, [EXEMPT] if not case.vat else [], foot(case)), case


def bullets(variant: int) -> tuple[bytes, Case]:
    """Names as bullets in one or two columns, the same hours for all (PDFKit)."""
    case = Case.draw("v02", variant, people=(2, 12))
    every = Decimal((14, 7, 21, 35, 28)[variant % 5])
    for each in case.people:
        each.hours, each.contract = every, ""
    case.start = case.start.replace(day=11)
    case.end = case.start + timedelta(days=int(every / 7) - 1)
    case.buyer, case.vat = case.company, 20 if variant % 2 else 0
    when = (
        f"Date de réalisation de la prestation : le {written_day(case.start, 'words')}"
        if case.start == case.end
        else f"Dates de réalisation de la prestation : {written_day(case.start, 'slash')} au {written_day(case.end, 'slash')}"
    )
    placed = [
        (40, 40, case.seller, 14), (40, 60, case.street, 9), (40, 72, case.town, 9), (40, 84, f"SIRET : {case.siret}", 9),
        (330, 110, case.company, 10), (330, 123, case.street, 10), (330, 136, case.town, 10),
        (40, 190, f"Facture n° {case.number}", 16), (40, 215, f"Le {written_day(case.day, 'dot')}", 10),
        (330, 215, f"Convention de formation : {case.dossier}", 10),
        (40, 245, f"Objet : formation « {case.title} »", 10), (40, 259, when, 10),
        (40, 273, f"Lieu : {case.town} - horaires : 9h00-12h30 / 13h30-17h00", 10),
        (40, 300, f"Participants ({len(case.people)}) :", 10),
    ]  # fmt: skip
    columns = 2 if len(case.people) > 6 else 1
    y = 316
    for n, each in enumerate(case.people):
        placed.append((55 + 240 * (n % columns), y, f"• {each.written('PN' if variant % 2 else 'NP')}", 10))
        y += 14 * (n % columns == columns - 1 or n == len(case.people) - 1)
    y += 20
    total = f"{hours(every, 'short')} x {len(case.people)} stagiaires = {hours(case.hours, 'short')} stagiaires"
    placed += [
        (40, y, f"Durée : {hours(every, 'short')} par stagiaire, soit {total}", 10),
        (40, y + 14, f"Prix de l'heure-stagiaire : {euros(case.rate)}", 10),
        (330, y + 40, "Total HT", 10), (470, y + 40, euros(case.net), 10),
        (330, y + 54, f"TVA ({case.vat} %)", 10), (470, y + 54, euros(case.tax), 10),
        (330, y + 68, "Net à payer TTC", 11), (470, y + 68, euros(case.net + case.tax), 11),
        (40, y + 100, f"Échéance : {due(case):%d/%m/%Y}" + ("" if case.vat else f" - {EXEMPT}"), 8),
    ]  # fmt: skip
    return pdfkit_placed(placed, foot(case)), case


def wide_list(variant: int) -> tuple[bytes, Case]:
    """A list over several landscape pages, family and given name in two columns, sums carried over (Typst)."""
    case = Case.draw("v03", variant, people=(20, 34))
    style = ("point", "comma", "h30", "comma h", "point")[variant % 5]
    gap = (THIN, NB, " ", THIN, NB)[variant % 5]
    cells, sub, page = "", Decimal(), 18
    for n, each in enumerate(case.people, 1):
        sub += each.hours
        cells += (
            f"[{n}],[{each.last}],[{each.first}],[{each.contract}],[{hours(each.hours, style)}],"
            f"[{euros(case.rate, gap)}],[{euros(cents(each.hours * case.rate), gap)}],"
        )
        if n == page and variant % 2:
            cells += f"table.cell(colspan:4)[Sous-total],[{hours(sub, style)}],[],[],"
    cells += f"table.cell(colspan:4)[*Totaux*],[*{hours(case.hours, style)}*],[],[*{euros(case.net, gap)}*],"
    month = f"{MONTHS[case.start.month - 1]} {case.start.year}"
    return typst(
        f"""#set page(paper:"a4",flipped:true,margin:(x:15mm,y:14mm),footer:context[#text(6pt)[{foot(case)} —
page #counter(page).display("1/1",both:true)]])
#set text(font:"Liberation Sans",size:9pt,lang:"fr")
#grid(columns:(1fr,1fr,1fr),[*{case.seller}* \\ {case.street} \\ {case.town} \\ SIRET {case.siret}],
[*FACTURE* \\ N° : {case.number} \\ Date : {written_day(case.day, "short")} \\ Dossier n° : {case.dossier}],
[{case.buyer} \\ {case.street} \\ {case.town}])
#v(4mm) Heures réalisées au titre du mois de {month}
#table(columns:(auto,1fr,1fr,auto,auto,auto,auto),stroke:{"0.3pt" if variant % 2 else "none"},
table.header([N°],[Nom],[Prénom],[N° de contrat],[Nb d'heures],[Prix/h],[Montant HT]),{cells})
Montant HT : {euros(case.net, gap)} #h(1cm) TVA : 0,00 € #h(1cm) Montant TTC : {euros(case.net, gap)} \\ {EXEMPT}"""
    ), case


def pivot(variant: int) -> tuple[bytes, Case]:
    """A column for each month of the period, and their sum (WeasyPrint)."""
    case = Case.draw("v04", variant, people=(1, 6))
    first = case.rng.randint(1, 9)
    span = [date(2026, first + n, 1) for n in range(3)]
    case.start, case.end = span[0], date(2026, first + 3, 1) - timedelta(days=1)
    case.day = case.end + timedelta(days=6)
    style = ("comma", "h30", "bare", "point", "comma")[variant % 5]
    rows = ""
    for each in case.people:
        each.contract = ""
        some = [case.some_hours() for _ in span]
        each.hours = sum(some, Decimal())
        cells = "".join(f"<td>{hours(h, style)}" for h in some)
        rows += f"<tr><td>{each.written(('NP', 'CAPS', 'Np', 'COMMA', 'CN')[variant % 5])}{cells}<td>{hours(each.hours, style)}"
        rows += f"<td>{euros(cents(each.hours * case.rate), THIN)}"
    heads = "".join(f"<th>{MONTHS[d.month - 1].capitalize()}" for d in span)
    return weasyprint(
        f"""<style>@page{{margin:15mm}} body{{font:9pt "Liberation Serif"}} td,th{{border:.5pt solid #999;padding:1.2mm}}
        table{{border-collapse:collapse;width:100%}} .b{{border:0}}</style>
        <p style="float:right;text-align:right">{case.buyer}<br>{case.street}<br>{case.town}</p>
        <p>{case.seller}<br>{case.street}<br>{case.town}<br>Numéro SIRET : {spaced(case.siret)}</p>
        <h2 style="clear:both">FACTURE TRIMESTRIELLE Réf. {case.number}</h2>
        <p>Facture émise le {written_day(case.day, "words")} — à régler pour le {written_day(due(case), "words")}<br>
        Période facturée : {MONTHS[case.start.month - 1]} à {MONTHS[case.end.month - 1]} 2026<br>
        Numéro d'accord de prise en charge : {case.dossier}</p>
        <table><tr><th>Nom de l'apprenant{heads}<th>Total heures<th>Montant{rows}
        <tr><th colspan=4>Total général<td>{hours(case.hours, style)}<td>{euros(case.net, THIN)}</table>
        <p>Tarif horaire appliqué : {euros(case.rate)}. Total HT {euros(case.net, THIN)} ; TVA 0,00 € ; total TTC
        {euros(case.net, THIN)}.</p><p>{EXEMPT}</p><p style="font-size:6pt">{foot(case)}</p>"""
    ), case


def form(variant: int) -> tuple[bytes, Case]:
    """A form with leaders, one block of lines for each beneficiary (xhtml2pdf)."""
    case = Case.draw("v05", variant, people=(1, 4))
    style = ("words", "comma", "h30 loose", "short", "point h")[variant % 5]
    case.start, case.end = case.start.replace(day=3), case.start.replace(day=27)
    blocks = ""
    for n, each in enumerate(case.people, 1):
        blocks += f"""<h4>Bénéficiaire n° {n}</h4><table><tr><td width="170">Nom</td><td>{each.last}</td></tr>
        <tr><td>Prénom</td><td>{each.first}</td></tr><tr><td>N° du contrat</td><td>{each.contract}</td></tr>
        <tr><td>Heures effectuées</td><td>{hours(each.hours, style)}</td></tr>
        <tr><td>Montant</td><td>{euros(cents(each.hours * case.rate), " ")}</td></tr></table>"""
    return xhtml2pdf(
        f"""<style>@page{{size:a4;margin:1.6cm}} body{{font-family:Helvetica;font-size:10pt}} td{{padding:1px}}</style>
        <p><b>{case.seller}</b><br>{case.street}<br>{case.town}<br>Siret {case.siret}</p>
        <p align="right">{case.buyer}<br>{case.town}</p><h2>Demande de règlement valant facture</h2>
        <table><tr><td width="170">Facture numéro</td><td>{case.number}</td></tr>
        <tr><td>Date d'établissement</td><td>{case.day:%d/%m/%Y}</td></tr>
        <tr><td>Début de la période</td><td>{case.start:%d/%m/%Y}</td></tr>
        <tr><td>Fin de la période</td><td>{case.end:%d/%m/%Y}</td></tr>
        <tr><td>Dossier de financement</td><td>{case.dossier}</td></tr>
        <tr><td>Entreprise</td><td>{case.company}</td></tr></table>{blocks}<h4>Synthèse</h4>
        <table><tr><td width="170">Total des heures</td><td>{hours(case.hours, style)}</td></tr>
        <tr><td>Taux horaire</td><td>{euros(case.rate, " ")}</td></tr>
        <tr><td>Total HT</td><td>{euros(case.net, " ")}</td></tr><tr><td>TVA</td><td>0,00 €</td></tr>
        <tr><td>Total à régler</td><td>{euros(case.net, " ")}</td></tr></table>
        <p>{EXEMPT}</p><p style="font-size:7pt">{foot(case)}</p>"""
    ), case


def listing(variant: int) -> tuple[bytes, Case]:
    """A listing of an old program in one width of letters, rows of stars around (groff)."""
    case = Case.draw("v06", variant, people=(3, 9))
    case.kind = "credit_note" if variant == 2 else "invoice"
    sign = "-" if case.kind == "credit_note" else ""
    lines = [
        f"{case.seller:<46}{'AVOIR' if sign else 'FACTURE'} NO {case.number}",
        f"{case.street:<46}DU  {written_day(case.day, 'slash')}",
        f"{case.town:<46}PAGE 1",
        f"SIRET {case.siret}",
        "",
        f"{'':<40}{case.buyer}",
        f"{'':<40}{case.town}",
        "",
        f"PERIODE DU {case.start:%d/%m/%y} AU {case.end:%d/%m/%y}    DOSSIER NO {case.dossier}",
        f"ACTION   : {case.title.upper()}",
        "*" * 78,
        f"{'NOM PRENOM':<32}{'CONTRAT':<19}{'HEURES':>8}{'TAUX':>8}{'MONTANT':>11}",
        "*" * 78,
    ]
    for each in case.people:
        lines.append(
            f"{each.written('CAPS'):<32}{each.contract:<19}{sign + hours(each.hours, 'comma'):>8}"
            f"{euros(case.rate, '', ''):>8}{sign + euros(cents(each.hours * case.rate), '', ''):>11}"
        )
    lines += [
        "*" * 78,
        f"{'TOTAL':<51}{sign + hours(case.hours, 'comma'):>8}{sign + euros(case.net, '', ''):>19}",
        f"{'TVA EXONEREE ART 261-4-4 DU CGI':<51}{'0,00':>27}",
        f"{'NET A PAYER EUR':<51}{sign + euros(case.net, '', ''):>27}",
        "",
        f"REGLEMENT AU {due(case):%d/%m/%y} PAR VIREMENT  IBAN FR7600000000000000000000097",
        "DECLARATION D'ACTIVITE 84380047138  APE 8559A  RCS 000 111 222",
    ]
    return groff(lines), case


def sidebar(variant: int) -> tuple[bytes, Case]:
    """A coloured side column with the facts; trainees in the text of one item (Chromium)."""
    case = Case.draw("v07", variant, people=(1, 5))
    for each in case.people:
        each.contract = ""
    case.start = case.start.replace(day=2)
    case.end = case.start + timedelta(days=(3, 0, 12, 1, 25)[variant % 5])
    style = ("h30", "comma h", "short", "h30 loose", "comma h")[variant % 5]
    if variant == 1:
        for each in case.people:
            each.hours = Decimal(7)
    names = ", ".join(f"{each.written('NP')} ({hours(each.hours, style)})" for each in case.people)
    when = f"le {case.start:%d/%m/%Y}" if case.start == case.end else f"du {case.start:%d/%m/%Y} au {case.end:%d/%m/%Y}"
    return chromium(
        f"""<meta charset=utf-8><style>body{{font:12px "Liberation Sans";margin:0}} .s{{float:left;width:190px;
        background:#eef;padding:12px;height:900px}} .m{{margin-left:230px}} .l{{color:#669;font-size:10px;margin-top:9px}}
        td,th{{padding:5px;text-align:left;vertical-align:top}} tr{{border-bottom:1px solid #ccc}}
        table{{border-collapse:collapse;width:100%}}</style>
        <div class=s><b>{case.seller}</b><br>{case.street}<br>{case.town}<div class=l>SIRET</div>{case.siret}
        <div class=l>Numéro de facture</div>{case.number}<div class=l>Date de facturation</div>
        {written_day(case.day, "words")}<div class=l>Date d'échéance</div>{written_day(due(case), "words")}
        <div class=l>Référence dossier</div>{case.dossier}</div>
        <div class=m><h2>Facture</h2><p>Facturé à<br><b>{case.buyer}</b><br>{case.street}<br>{case.town}</p>
        <table><tr><th>Description<th>Heures<th>Prix<th>Total
        <tr><td>{case.title}, session {when}.<br>Stagiaires : {names}<td>{hours(case.hours, "bare")}
        <td>{euros(case.rate)}<td>{euros(case.net)}</table>
        <p>Sous-total : {euros(case.net)}<br>TVA 0 % : 0,00 €<br><b>Total : {euros(case.net)}</b></p><p>{EXEMPT}</p>
        <p style="font-size:8px">{foot(case)}</p></div>"""
    ), case


LAYOUTS = (grid, bullets, wide_list, pivot, form, listing, sidebar)
