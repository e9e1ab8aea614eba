/*
 * Every operation of a Paraphe exchange with .NET Framework or Mono; `build` beside this file makes it.
 *
 * API_USER=… API_KEY=… mono client.exe https://exchange.example.org/soap/v1 FOLDER
 *
 * FOLDER holds invoice.pdf; record.zip is written there. What the tool wsdl makes of the WSDL: the members of a message
 * are arguments; a list is an array; an optional value comes with a second member, …Specified, that says whether it is
 * there.
 */
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web.Services.Protocols;
using System.Xml;

static class Client
{
    const string Text = "é œ ß 😀";
    static readonly byte[] Paper = Encoding.ASCII.GetBytes("%PDF-1.4\n% a small paper\n%%EOF\n");
    static readonly string User = Environment.GetEnvironmentVariable("API_USER");
    static readonly string Key = Environment.GetEnvironmentVariable("API_KEY");
    static string address, folder, record;
    static ParapheExchange exchange;

    /* .NET sends HTTP Basic when the server asks for it; with PreAuthenticate, from the second call on unasked. */
    static ParapheExchange ConnectBasic(string key)
    {
        var basic = new NetworkCredential(User, key);
        return new ParapheExchange { Url = address, Credentials = basic, PreAuthenticate = true };
    }

    static ParapheExchange ConnectHeader(string key)
    {
        var header = new Credentials { apiUser = User, apiKey = key };
        return new ParapheExchange { Url = address, CredentialsValue = header };
    }

    static void Expect(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException("not as expected: " + what);
    }

    static void Done(string returnCode, string message)
    {
        Expect(returnCode == "200 OK", message);
    }

    static string Sha256(byte[] bytes)
    {
        return BitConverter.ToString(SHA256.Create().ComputeHash(bytes)).Replace("-", "").ToLowerInvariant();
    }

    /* Repositories --------------------------------------------------------------------------------------------- */

    delegate SyncResult Operation<T>(
        string messageId, bool dryRun, bool dryRunSaid, SyncMode mode, bool modeSaid, OnError onError, bool onErrorSaid,
        int maxRemovals, bool maxRemovalsSaid, T[] items);

    static SyncResult Sync<T>(
        Operation<T> operation, T[] items, string messageId = null, bool? dryRun = null, SyncMode? mode = null)
    {
        SyncResult result = operation(
            messageId, dryRun ?? false, dryRun.HasValue, mode ?? SyncMode.UPSERT, mode.HasValue,
            OnError.REJECT_ALL, false, 0, false, items);
        Done(result.returnCode, result.message);
        return result;
    }

    static void CheckConnection()
    {
        CheckConnectionResult result = exchange.CheckConnection();
        Done(result.returnCode, result.message);
        Expect(result.environment == AccountEnvironment.SANDBOX && result.account.Contains(Text), result.account);
        Expect(result.serverTime.Year > 2025 && result.limits.Length > 1, "time and limits");
    }

    static void SyncContacts()
    {
        var contact = new Contact { reference = "IOP-OPCO", type = ContactType.OPCO, organisation = "OPCO " + Text };
        SyncResult result = Sync(exchange.SyncContacts, new[] { contact });
        Expect(result.created == 1 && result.items[0].action == SyncAction.CREATED, "created");
    }

    static void SyncClassrooms()
    {
        var room = new Classroom {
            reference = "IOP-ROOM", name = "Salle " + Text, address = new Address { city = "Orléans" },
            capacity = 16, capacitySpecified = true,
        };
        Expect(Sync(exchange.SyncClassrooms, new[] { room }).created == 1, "one room");
    }

    static void SyncTeachers()
    {
        var teacher = new Teacher { reference = "IOP-T1", lastName = "Œuvrard " + Text, firstName = "Zoë" };
        Expect(Sync(exchange.SyncTeachers, new[] { teacher }).created == 1, "one teacher");
    }

    static void SyncStudents()
    {
        var full = new Student {
            reference = "IOP-S1", civility = Civility.MME, civilitySpecified = true,
            lastName = "Lefèvre " + Text, firstName = "Anaïs",
            birthDate = new DateTime(2001, 2, 28), birthDateSpecified = true,
            address = new Address { addressLine1 = "1 rue de l'Œuvre", city = "Besançon", country = "FR" },
            financers = new string[0], groups = new[] { "IOP-GROUP" },
            requiredSignature = true, requiredSignatureSpecified = true,
            data = new FreeData { data1 = "Straße" },
        };
        Student[] students = { full, new Student { reference = "IOP-S2", lastName = "Ba", firstName = "Ü" } };
        SyncResult tried = Sync(exchange.SyncStudents, students, dryRun: true);
        Expect(tried.dryRun && tried.created == 2, "a dry run");
        // The same messageId again is answered with the first answer again, and stored once.
        foreach (bool again in new[] { false, true })
        {
            SyncResult result = Sync(exchange.SyncStudents, students, messageId: "IOP-1", mode: SyncMode.UPSERT);
            Expect(result.created == 2 && result.duplicate == again, "the first answer again");
        }
    }

    static void SyncCourses()
    {
        var start = new DateTime(2026, 9, 14, 7, 0, 0, DateTimeKind.Utc);
        var course = new Course {
            reference = "IOP-C1", name = "Bases de données " + Text, start = start, end = start.AddHours(3),
            classroom = "IOP-ROOM", modality = Modality.ON_SITE, modalitySpecified = true,
            teachers = new[] { "IOP-T1" }, groups = new[] { "IOP-GROUP" },
        };
        Expect(Sync(exchange.SyncCourses, new[] { course }).created == 1, "one course");
    }

    /* An empty array is a list of no items, null is no list at all. */
    static void EmptyList()
    {
        foreach (bool none in new[] { false, true })
        {
            var results = new[] {
                Sync(exchange.SyncContacts, none ? null : new Contact[0]),
                Sync(exchange.SyncClassrooms, none ? null : new Classroom[0]),
                Sync(exchange.SyncTeachers, none ? null : new Teacher[0]),
                Sync(exchange.SyncStudents, none ? null : new Student[0]),
                Sync(exchange.SyncCourses, none ? null : new Course[0]),
            };
            Expect(results.All(result => result.received == 0), "nothing received");
        }
        Expect(exchange.AcknowledgeRecords(null, new string[0]).acknowledged == 0, "nothing acknowledged");
    }

    static CourseAttendance[] Signatures(DateTime start, DateTime end)
    {
        SignatureListResult result = exchange.GetSignatureList(
            start, true, end, true, DateTime.MinValue, false, null, null, null, AttendanceStatus.PRESENT, true,
            true, true, null, 5, true);
        Done(result.returnCode, result.message);
        return result.courses;
    }

    static void GetSignatureList()
    {
        CourseAttendance[] courses = Signatures(new DateTime(2026, 9, 1), new DateTime(2026, 9, 18));
        var signed = courses.SelectMany(course => course.participants).Where(each => each.image != null).ToArray();
        Expect(signed.Length > 0, "signatures");
        Expect(signed.All(each => Sha256(each.image) == each.imageSha256), "images as they were signed");
        CourseAttendance[] nothing = Signatures(new DateTime(2020, 1, 1), new DateTime(2020, 1, 2));
        Expect(nothing == null || nothing.Length == 0, "an empty list");
    }

    /* Invoices and their records ------------------------------------------------------------------------------- */

    static void SendInvoice()
    {
        byte[] pdf = File.ReadAllBytes(Path.Combine(folder, "invoice.pdf"));
        var hints = new InvoicingElements {
            payerName = "OPCO " + Text, amountInclVat = 1148.60m, amountInclVatSpecified = true,
        };
        InvoiceResult result = exchange.SendInvoice(null, "facture " + Text + ".pdf", pdf, Sha256(pdf), hints);
        Done(result.returnCode, result.message);
        Expect(result.status == RecordStatus.NEEDS_REVIEW && result.documentId != null, "a record");
        record = result.recordNumber;
    }

    static InvoicingElements Elements(string number)
    {
        var trainee = new InvoicedTrainee {
            lastName = "Lefèvre", firstName = "Anaïs", quantity = 51.05m, quantitySpecified = true,
        };
        return new InvoicingElements {
            invoiceNumber = number,
            invoiceDate = new DateTime(2026, 9, 21), invoiceDateSpecified = true,
            periodStart = new DateTime(2026, 9, 1), periodStartSpecified = true,
            periodEnd = new DateTime(2026, 9, 18), periodEndSpecified = true,
            payerName = "OPCO " + Text,
            quantity = 51.05m, quantitySpecified = true,
            unit = QuantityUnit.HOUR, unitSpecified = true,
            amountExclVat = 1148.63m, amountExclVatSpecified = true,
            vatAmount = 0.00m, vatAmountSpecified = true,
            amountInclVat = 1148.63m, amountInclVatSpecified = true,
            trainees = new[] { trainee },
        };
    }

    static void ReviewRecord()
    {
        RecordResult result = exchange.ReviewRecord(null, record, Elements("IOP-F1"));
        Done(result.returnCode, result.message);
        Expect(result.recordIndex.status == RecordStatus.READY, "READY");
    }

    static void SendInvoicingInfo()
    {
        InvoiceResult result = exchange.SendInvoicingInfo(null, Elements("IOP-F2"));
        Done(result.returnCode, result.message);
        Expect(result.status == RecordStatus.READY, "READY");
    }

    static void AddSimpleInvoice()
    {
        DocumentResult result = exchange.AddSimpleInvoice(null, record, "avoir " + Text + ".pdf", Paper, null);
        Done(result.returnCode, result.message);
        Expect(result.sha256 == Sha256(Paper) && result.sizeBytes == Paper.Length, "the same bytes");
    }

    static void AddSimpleDocument()
    {
        DocumentResult result = exchange.AddSimpleDocument(
            null, record, DocumentType.PROGRAMME, "Programme " + Text, "programme.pdf", Paper, null);
        Done(result.returnCode, result.message);
        Expect(result.documentId != null, "a document id");
    }

    static void GetRecord()
    {
        RecordResult result = exchange.GetRecord(record, RecordFormat.INDEX, false, false);
        Done(result.returnCode, result.message);
        Expect(result.recordIndex.invoice.payerName == "OPCO " + Text, result.recordIndex.invoice.payerName);
        Expect(result.recordIndex.invoice.amountInclVat == 1148.63m, "an amount");
        Expect(result.recordIndex.documents.Last().title == "Programme " + Text, "the title");
        RecordResult whole = exchange.GetRecord(record, RecordFormat.ZIP, false, false);
        Done(whole.returnCode, whole.message);
        File.WriteAllBytes(Path.Combine(folder, "record.zip"), whole.content);
    }

    static RecordListResult Records(int? limit, string cursor)
    {
        RecordListResult result = exchange.GetRecordList(
            limit ?? 0, limit.HasValue, cursor, true, true, RecordStatus.READY, false, DateTime.MinValue, false,
            DateTime.MinValue, false, null);
        Done(result.returnCode, result.message);
        return result;
    }

    static void GetRecordList()
    {
        RecordListResult first = Records(1, null);
        Expect(first.records.Length == 1 && first.remaining >= 1, "one record and more");
        RecordListResult rest = Records(null, first.nextCursor);
        Expect(rest.remaining == 0 && rest.records.Length >= 1, "the rest");
    }

    static void AcknowledgeRecords()
    {
        AcknowledgeResult result = exchange.AcknowledgeRecords(null, new[] { record });
        Done(result.returnCode, result.message);
        Expect(result.acknowledged + result.alreadyExtracted == 1, "one record");
    }

    /* What can go wrong ---------------------------------------------------------------------------------------- */

    /* The text of the first element of this name in the detail of a fault; .NET makes no classes for it. */
    static string Told(SoapException fault, string name)
    {
        XmlNodeList found = ((XmlElement)fault.Detail).GetElementsByTagName(name, "urn:paraphe:exchange:v1");
        return found.Count == 0 ? null : found[0].InnerText;
    }

    static SoapException Fault(string code, Action call)
    {
        try
        {
            call();
        }
        catch (SoapException fault)
        {
            Expect(fault.Detail != null && Told(fault, "returnCode") == "500 ERROR", fault.Message);
            Expect(Told(fault, "code") == code, fault.Message);
            return fault;
        }
        throw new InvalidOperationException("no fault");
    }

    static void CredentialsHeader()
    {
        CheckConnectionResult result = ConnectHeader(Key).CheckConnection();
        Done(result.returnCode, result.message);
        Fault("CREDENTIALS_REFUSED", () => ConnectHeader("wrong").CheckConnection());
    }

    /* What the operation refuses is in the result, not in a fault; then nothing of the message was stored. */
    static void Refusal()
    {
        RecordResult result = exchange.GetRecord("1999-000001", RecordFormat.INDEX, false, false);
        Expect(result.returnCode == "500 ERROR" && result.errors[0].code == ErrorCode.UNKNOWN_RECORD, result.message);
    }

    static void SchemaError()
    {
        var student = new Student { reference = "IOP-S3", lastName = new string('x', 101), firstName = "é" };
        SoapException fault = Fault("SCHEMA_INVALID", () => Sync(exchange.SyncStudents, new[] { student }));
        Expect(Told(fault, "path") == "/SyncStudents/students/student[1]/lastName", Told(fault, "path"));
    }

    static string Quoted(string text)
    {
        var safe = text.Select(each => each < ' ' || each == '"' || each == '\\' ? ' ' : each);
        return '"' + new string(safe.ToArray()) + '"';
    }

    static void Main(string[] arguments)
    {
        address = arguments[0];
        folder = arguments[1];
        exchange = ConnectBasic(Key);
        var steps = new Dictionary<string, Action> {
            { "CheckConnection", CheckConnection },
            { "SyncContacts", SyncContacts },
            { "SyncClassrooms", SyncClassrooms },
            { "SyncTeachers", SyncTeachers },
            { "SyncStudents", SyncStudents },
            { "SyncCourses", SyncCourses },
            { "GetSignatureList", GetSignatureList },
            { "SendInvoice", SendInvoice },
            { "ReviewRecord", ReviewRecord },
            { "SendInvoicingInfo", SendInvoicingInfo },
            { "AddSimpleInvoice", AddSimpleInvoice },
            { "AddSimpleDocument", AddSimpleDocument },
            { "GetRecord", GetRecord },
            { "GetRecordList", GetRecordList },
            { "AcknowledgeRecords", AcknowledgeRecords },
            { "empty list", EmptyList },
            { "credentials header", CredentialsHeader },
            { "refusal", Refusal },
            { "fault", () => Fault("CREDENTIALS_REFUSED", () => ConnectBasic("wrong").CheckConnection()) },
            { "schema error", SchemaError },
        };
        foreach (var step in steps)
        {
            string said = "{\"step\": " + Quoted(step.Key) + ", \"ok\": ";
            try
            {
                step.Value();
                Console.WriteLine(said + "true}");
            }
            catch (Exception error)
            {
                Console.WriteLine(said + "false, \"reason\": " + Quoted(error.Message) + "}");
            }
        }
    }
}
