"""The contract's types for plain Spyne, declared by hand from the schema; the names in classes are the contract's."""

# mypy: disable-error-code="misc"
# ruff: noqa: N815

import paraphe.faces.soap.compat  # noqa: F401 - before anything of Spyne

from spyne import Array, Boolean, ComplexModel, Date, DateTime, Decimal, Integer32, Unicode  # isort: skip

from .messages import NAMESPACE

Reference = Unicode(64, min_len=1, type_name="Reference")
FieldName = Unicode(100, min_len=1, type_name="FieldName")
# Spyne would put what has a name into a namespace of its own.
Reference.__namespace__ = FieldName.__namespace__ = NAMESPACE
Label = Unicode(100, min_len=1)
LongLabel = Unicode(255, min_len=1)
FundingNumber = Unicode(64, min_len=1)
EmailAddress = Unicode(254, pattern=r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
PhoneNumber = Unicode(30, min_len=3, pattern=r"[0-9+().\-/ ]+")
Amount = Decimal(14, 2)


class Model(ComplexModel):
    """A type of the contract."""

    __namespace__ = NAMESPACE


class Address(Model):
    """A postal address."""

    addressLine1 = Label
    addressLine2 = Label
    addressLine3 = Label
    addressLine4 = Label
    zipcode = Unicode(10, min_len=1)
    city = Label
    state = Label
    country = Unicode(2, pattern="[A-Z]{2}")


class FreeData(Model):
    """Eight free texts."""

    data1 = LongLabel
    data2 = LongLabel
    data3 = LongLabel
    data4 = LongLabel
    data5 = LongLabel
    data6 = LongLabel
    data7 = LongLabel
    data8 = LongLabel


class Student(Model):
    """A trainee."""

    reference = Unicode(64, min_len=1, min_occurs=1, nillable=False)
    civility = Unicode(values=["M", "MME"])
    lastName = Label(min_occurs=1, nillable=False)
    firstName = Label(min_occurs=1, nillable=False)
    birthDate = Date
    email = EmailAddress
    mobilePhone = PhoneNumber
    phone = PhoneNumber
    address = Address
    start = Date
    end = Date
    employer = Reference
    financers = Array(Reference, member_name="reference")
    groups = Array(Reference, member_name="reference")
    training = LongLabel
    degree = LongLabel
    opcaNumber = FundingNumber
    regionNumber = FundingNumber
    unemployedNumber = FundingNumber
    fileNumber = FundingNumber
    cfaNumber = FundingNumber
    requiredSignature = Boolean
    data = FreeData
    clearFields = Array(FieldName, member_name="fieldName")


class ErrorItem(Model):
    """What is wrong."""

    index = Integer32
    reference = Unicode
    field = Unicode
    code = Unicode
    message = Unicode
    hint = Unicode


class Answer(Model):
    """What every answer holds."""

    returnCode = Unicode
    message = Unicode
    requestId = Unicode
    duplicate = Boolean
    errors = Array(ErrorItem, member_name="error")


class LimitInForce(Model):
    """A limit."""

    name = Unicode
    value = Integer32
    unit = Unicode


class CheckConnectionResult(Answer):
    """Who calls, and what is in force."""

    account = Unicode
    environment = Unicode
    serverTime = DateTime
    productVersion = Unicode
    timeZone = Unicode
    limits = Array(LimitInForce, member_name="limit")


class SyncItem(Model):
    """What became of an item."""

    index = Integer32
    reference = Unicode
    action = Unicode


class SyncResult(Answer):
    """What a synchronisation did."""

    dryRun = Boolean
    received = Integer32
    created = Integer32
    updated = Integer32
    unchanged = Integer32
    removed = Integer32
    rejected = Integer32
    items = Array(SyncItem, member_name="item")


class InvoicedTrainee(Model):
    """A trainee on an invoice."""

    reference = Reference
    lastName = Label
    firstName = Label
    quantity = Amount
    unit = Unicode
    contractNumber = FundingNumber
    fileNumber = FundingNumber
    amountExclVat = Amount


class InvoicingElements(Model):
    """What an invoice says."""

    invoiceNumber = FundingNumber
    invoiceDate = Date
    periodStart = Date
    periodEnd = Date
    payerReference = Reference
    payerName = LongLabel
    contractNumber = FundingNumber
    fileNumber = FundingNumber
    sellerSiret = Unicode(14)
    quantity = Amount
    unit = Unicode
    amountExclVat = Amount
    vatAmount = Amount
    amountInclVat = Amount
    trainees = Array(InvoicedTrainee, member_name="trainee")


class RecordIndex(Model):
    """A record."""

    recordNumber = Unicode
    status = Unicode
    version = Integer32
    createdOn = DateTime
    modifiedOn = DateTime
    extractedOn = DateTime
    invoice = InvoicingElements
    documentCount = Integer32
    sizeBytes = Integer32
    pdfUrl = Unicode
    zipUrl = Unicode
    urlsExpireOn = DateTime


class RecordListResult(Answer):
    """Records."""

    records = Array(RecordIndex, member_name="recordIndex")
    remaining = Integer32
    nextCursor = Unicode


class InvoiceResult(Answer):
    """The record that an invoice opened."""

    recordNumber = Unicode
    status = Unicode
    documentId = Unicode
