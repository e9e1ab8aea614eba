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
