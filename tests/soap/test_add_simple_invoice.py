"""AddSimpleInvoice."""

from .documents import DocumentQuestions


class TestAddSimpleInvoice(DocumentQuestions):
    operation, document_type = "AddSimpleInvoice", "SIMPLE_INVOICE"
    more = {}  # noqa: RUF012
