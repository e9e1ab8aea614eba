"""The programs that make the PDFs. None is a dependency of the project; README.md says how to install them."""

import html
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FONTS = Path("/usr/share/fonts/truetype/dejavu")


def weasyprint(page: str) -> bytes:
    """HTML and CSS by WeasyPrint."""
    from weasyprint import HTML

    made: bytes = HTML(string=page).write_pdf()
    return made


def typst(source: str) -> bytes:
    """Make a page of Typst's markup."""
    import typst as engine

    made: bytes = engine.compile(source.encode())
    return made


def fpdf_letter(sender: str, recipient: str, lines: Sequence[str], foot: str) -> bytes:
    """Make a letter by fpdf2: sender, recipient to the right, paragraphs, small print."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.add_font("Serif", fname=_FONTS / "DejaVuSerif.ttf")
    pdf.set_margins(22, 20)
    pdf.add_page()
    pdf.set_font("Serif", size=10)
    pdf.multi_cell(80, 5, sender)
    pdf.set_xy(115, 45)
    pdf.multi_cell(80, 5, recipient)
    pdf.set_xy(22, 85)
    for line in lines:
        if line:
            pdf.multi_cell(0, 5.2, line, align="L" if line.startswith(" ") else "J", new_x="LMARGIN", new_y="NEXT")
        else:
            pdf.ln(4)
    pdf.set_y(-30)
    pdf.set_font("Serif", size=6)
    pdf.multi_cell(0, 3, foot)
    return bytes(pdf.output())


def pdfmake(document: dict[str, Any]) -> bytes:
    """Make a document definition of pdfmake, by node."""
    return _node(
        "const pdfmake=require('pdfmake');const fs=require('fs');const d=JSON.parse(fs.readFileSync(0));"
        "const roboto='node_modules/pdfmake/fonts/Roboto/Roboto-';"
        "pdfmake.setFonts({Roboto:{normal:roboto+'Regular.ttf',bold:roboto+'Medium.ttf'}});"
        "if(d.footer){const f=d.footer;d.footer=()=>f;}"
        "pdfmake.createPdf(d).getBuffer().then(b=>process.stdout.write(b));",
        json.dumps(document),
    )


def _node(script: str, document: str) -> bytes:
    folder = os.environ.get("UNSEEN_NODE", ".")
    done = subprocess.run(["node", "-e", script], input=document.encode(), capture_output=True, cwd=folder, check=True)
    return done.stdout


def reportlab_story(
    left: Sequence[str],
    right: Sequence[str],
    intro: str,
    facts: Sequence[Sequence[str]],
    table: Sequence[Sequence[str]],
    sums: Sequence[str],
    foot: str,
) -> bytes:
    """Make a story of ReportLab: two blocks, a table of facts, a table of trainees."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    pdfmetrics.registerFont(TTFont("Sans", str(_FONTS / "DejaVuSans.ttf")))
    pdfmetrics.registerFontFamily("Sans", normal="Sans", bold="Sans", italic="Sans", boldItalic="Sans")
    plain = ParagraphStyle("plain", fontName="Sans", fontSize=9, leading=12)
    small = ParagraphStyle("small", parent=plain, fontSize=6, leading=7.5)
    file = io.BytesIO()
    blocks = [[Paragraph("<br/>".join(left), plain), Paragraph("<br/>".join(right), plain)]]
    style = TableStyle([("FONT", (0, 0), (-1, -1), "Sans", 9), ("ALIGN", (1, 0), (-1, -1), "RIGHT")])
    ruled = TableStyle([*style.getCommands(), ("GRID", (0, 0), (-1, -1), 0.5, colors.grey)])
    story = [
        Table(blocks, colWidths=[260, 220]), Spacer(1, 14), Paragraph(intro, plain), Spacer(1, 8),
        Table(facts, colWidths=[150, 330], style=TableStyle([("FONT", (0, 0), (-1, -1), "Sans", 9)])), Spacer(1, 12),
        Table(table, colWidths=[190, 110, 90, 90], style=ruled), Spacer(1, 12),
        *(Paragraph(html.escape(each), plain) for each in sums), Spacer(1, 30), Paragraph(foot, small),
    ]  # fmt: skip
    SimpleDocTemplate(file, pagesize=A4).build(story)
    return file.getvalue()


def wkhtmltopdf(page: str) -> bytes:
    """HTML by wkhtmltopdf, as old web applications print."""
    done = subprocess.run(["wkhtmltopdf", "-q", "-", "-"], input=page.encode(), capture_output=True, check=True)
    return done.stdout


def chromium(page: str) -> bytes:
    """HTML by a browser's "print to PDF"."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, "utf-8")
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        subprocess.run([*command, f"--print-to-pdf={target}", str(source)], capture_output=True, check=True)
        return target.read_bytes()


def xhtml2pdf(page: str) -> bytes:
    """HTML by xhtml2pdf, with the standard fonts that no file holds."""
    from xhtml2pdf import pisa

    file = io.BytesIO()
    pisa.CreatePDF(page, dest=file, encoding="utf-8")
    return file.getvalue()


def groff(lines: Sequence[str]) -> bytes:
    """Make a listing by groff and Ghostscript, as a line printer's spool is turned into PDF."""
    source = ".pl 29.7c\n.po 1.2c\n.ll 19c\n.fam C\n.ps 8.5\n.vs 11\n.nf\n" + "".join(
        (line.replace("\\", "\\e").replace("-", "\\-") or ".sp") + "\n" for line in lines
    )
    shown = subprocess.run(["groff", "-Kutf8", "-Tps"], input=source.encode(), capture_output=True, check=True).stdout
    return subprocess.run(["ps2pdf", "-", "-"], input=shown, capture_output=True, check=True).stdout


def jspdf_grid(
    left: Sequence[str],
    right: Sequence[str],
    top: Sequence[str],
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    sums: Sequence[Sequence[str]],
    notes: Sequence[str],
    foot: str,
) -> bytes:
    """Make a grid of jsPDF with its table plugin, by node."""
    return _node(
        "const {jsPDF}=require('jspdf');const {autoTable}=require('jspdf-autotable');const fs=require('fs');"
        "const d=JSON.parse(fs.readFileSync(0));const p=new jsPDF();"
        "const f=fs.readFileSync('/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf').toString('base64');"
        "p.addFileToVFS('s.ttf',f);p.addFont('s.ttf','s','normal');p.setFont('s');p.setFontSize(9);"
        "p.text(d.left,14,16);p.text(d.right,125,40);p.setFontSize(11);p.text(d.top,14,62);"
        "autoTable(p,{startY:85,head:[d.head],body:d.rows,styles:{font:'s',fontStyle:'normal',fontSize:8},"
        "headStyles:{fontStyle:'normal'},columnStyles:{1:{cellWidth:85},2:{halign:'right'},4:{halign:'right'},5:{halign:'right'}}});"
        "autoTable(p,{startY:p.lastAutoTable.finalY+4,margin:{left:120},body:d.sums,theme:'plain',"
        "styles:{font:'s',fontSize:9},columnStyles:{1:{halign:'right'}}});"
        "p.setFontSize(8);p.text(d.notes,14,p.lastAutoTable.finalY+8);p.setFontSize(5);"
        "p.text(p.splitTextToSize(d.foot,180),14,286);process.stdout.write(Buffer.from(p.output('arraybuffer')));",
        json.dumps(
            {
                "left": left,
                "right": right,
                "top": top,
                "head": head,
                "rows": rows,
                "sums": sums,
                "notes": notes,
                "foot": foot,
            }
        ),
    )


def pdfkit_placed(texts: Sequence[tuple[float, float, str, float]], foot: str) -> bytes:
    """Put texts at places with PDFKit, by node: each with x, y from the top, and its size."""
    return _node(
        "const P=require('pdfkit');const fs=require('fs');const d=JSON.parse(fs.readFileSync(0));"
        "const p=new P({size:'A4',margin:30});p.pipe(process.stdout);"
        "p.font('/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf');"
        "for(const [x,y,t,s] of d.texts)p.fontSize(s).text(t,x,y,{lineBreak:false});"
        "p.fontSize(6).text(d.foot,40,780,{width:510});p.end();",
        json.dumps({"texts": texts, "foot": foot}),
    )


def filled_in(texts: Sequence[tuple[float, float, str]], fields: Sequence[tuple[float, float, float, str]]) -> bytes:
    """Make a form by ReportLab: texts at places from the bottom, fields with x, y, width and what was filled in."""
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setFont("Helvetica", 9)
    for x, y, text in texts:
        canvas.drawString(x, y, text)
    for number, (x, y, width, value) in enumerate(fields):
        canvas.acroForm.textfield(name=f"f{number}", x=x, y=y, width=width, height=14, value=value, fontSize=9)
    canvas.save()
    return file.getvalue()
