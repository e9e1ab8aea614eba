/*
 * Every operation of a Paraphe exchange with Java (JAX-WS); `build` beside this file makes it.
 *
 * API_USER=… API_KEY=… java -cp /usr/share/java/jaxws-rt.jar:. Client https://exchange.example.org/soap/v1?wsdl FOLDER
 *
 * `?wsdl12` instead of `?wsdl` speaks SOAP 1.2. FOLDER holds invoice.pdf; record.zip is written there. What wsimport
 * makes of the WSDL: the members of a message are arguments, null where they are left out; a list is an object with a
 * getter of a java.util.List; base64Binary is byte[].
 */
import java.math.BigDecimal;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPElement;
import javax.xml.soap.SOAPEnvelope;
import javax.xml.soap.SOAPException;
import javax.xml.soap.SOAPHeader;
import javax.xml.soap.SOAPHeaderElement;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Service;
import javax.xml.ws.WebServiceFeature;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.handler.soap.SOAPHandler;
import javax.xml.ws.handler.soap.SOAPMessageContext;
import javax.xml.ws.soap.MTOMFeature;
import stub.*;

public class Client {
    static final String NAMESPACE = "urn:paraphe:exchange:v1";
    static final String WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    static final String TEXT = "é œ ß 😀";
    static final byte[] PAPER = "%PDF-1.4\n% a small paper\n%%EOF\n".getBytes();
    static final String USER = System.getenv("API_USER"), KEY = System.getenv("API_KEY");
    static String wsdl;
    static Path folder;
    static ExchangePortType exchange;
    static String record;

    static ExchangePortType connect(WebServiceFeature... features) throws Exception {
        Service service = Service.create(new URL(wsdl), new QName(NAMESPACE, "ParapheExchange"));
        return service.getPort(ExchangePortType.class, features);
    }

    static ExchangePortType connectBasic(String key, WebServiceFeature... features) throws Exception {
        ExchangePortType basic = connect(features);
        Map<String, Object> context = ((BindingProvider) basic).getRequestContext();
        context.put(BindingProvider.USERNAME_PROPERTY, USER);
        context.put(BindingProvider.PASSWORD_PROPERTY, key);
        return basic;
    }

    interface Step {
        void run() throws Exception;
    }

    static void expect(boolean condition, Object what) {
        if (!condition) throw new IllegalStateException("not as expected: " + what);
    }

    static void done(String returnCode, String message) {
        expect(returnCode.equals("200 OK"), message);
    }

    static SyncResult done(SyncResult result) {
        done(result.getReturnCode(), result.getMessage());
        return result;
    }

    static XMLGregorianCalendar time(String text) throws Exception {
        return DatatypeFactory.newInstance().newXMLGregorianCalendar(text);
    }

    static String sha256(byte[] bytes) throws Exception {
        StringBuilder text = new StringBuilder();
        for (byte each : MessageDigest.getInstance("SHA-256").digest(bytes)) text.append(String.format("%02x", each));
        return text.toString();
    }

    static ArrayOfReference references(String... references) {
        ArrayOfReference list = new ArrayOfReference();
        list.getReference().addAll(Arrays.asList(references));
        return list;
    }

    // Repositories ---------------------------------------------------------------------------------------------

    static void checkConnection() throws Exception {
        CheckConnectionResult result = exchange.checkConnection();
        done(result.getReturnCode(), result.getMessage());
        expect(result.getEnvironment() == AccountEnvironment.SANDBOX && result.getAccount().contains(TEXT), "an account");
        expect(result.getServerTime().getTimezone() == 0 && result.getLimits().getLimit().size() > 1, "time and limits");
    }

    static void syncContacts() throws Exception {
        Contact contact = new Contact();
        contact.setReference("IOP-OPCO");
        contact.setType(ContactType.OPCO);
        contact.setOrganisation("OPCO " + TEXT);
        ArrayOfContact contacts = new ArrayOfContact();
        contacts.getContact().add(contact);
        SyncResult result = done(exchange.syncContacts(null, null, null, null, null, contacts));
        expect(result.getItems().getItem().get(0).getAction() == SyncAction.CREATED, "created");
    }

    static void syncClassrooms() throws Exception {
        Classroom room = new Classroom();
        room.setReference("IOP-ROOM");
        room.setName("Salle " + TEXT);
        room.setCapacity(16);
        room.setAddress(new Address());
        room.getAddress().setCity("Orléans");
        ArrayOfClassroom rooms = new ArrayOfClassroom();
        rooms.getClassroom().add(room);
        expect(done(exchange.syncClassrooms(null, null, null, null, null, rooms)).getCreated() == 1, "one room");
    }

    static void syncTeachers() throws Exception {
        Teacher teacher = new Teacher();
        teacher.setReference("IOP-T1");
        teacher.setLastName("Œuvrard " + TEXT);
        teacher.setFirstName("Zoë");
        ArrayOfTeacher teachers = new ArrayOfTeacher();
        teachers.getTeacher().add(teacher);
        expect(done(exchange.syncTeachers(null, null, null, null, null, teachers)).getCreated() == 1, "one teacher");
    }

    static Student student(String reference, String lastName, String firstName) {
        Student student = new Student();
        student.setReference(reference);
        student.setLastName(lastName);
        student.setFirstName(firstName);
        return student;
    }

    static void syncStudents() throws Exception {
        Student full = student("IOP-S1", "Lefèvre " + TEXT, "Anaïs");
        full.setCivility(Civility.MME);
        full.setBirthDate(time("2001-02-28"));
        full.setAddress(new Address());
        full.getAddress().setAddressLine1("1 rue de l'Œuvre");
        full.getAddress().setCity("Besançon");
        full.getAddress().setCountry("FR");
        full.setFinancers(references());
        full.setGroups(references("IOP-GROUP"));
        full.setRequiredSignature(true);
        full.setData(new FreeData());
        full.getData().setData1("Straße");
        ArrayOfStudent students = new ArrayOfStudent();
        students.getStudent().addAll(Arrays.asList(full, student("IOP-S2", "Ba", "Ü")));
        SyncResult tried = done(exchange.syncStudents(null, true, null, null, null, students));
        expect(tried.isDryRun() && tried.getCreated() == 2, "a dry run");
        // The same messageId again is answered with the first answer again, and stored once.
        for (boolean again : new boolean[] {false, true}) {
            SyncResult result = done(exchange.syncStudents("IOP-1", null, SyncMode.UPSERT, null, null, students));
            expect(result.getCreated() == 2 && result.isDuplicate() == again, "the first answer again");
        }
    }

    static void syncCourses() throws Exception {
        Course course = new Course();
        course.setReference("IOP-C1");
        course.setName("Bases de données " + TEXT);
        course.setStart(time("2026-09-14T09:00:00+02:00"));
        course.setEnd(time("2026-09-14T12:00:00+02:00"));
        course.setClassroom("IOP-ROOM");
        course.setModality(Modality.ON_SITE);
        course.setTeachers(references("IOP-T1"));
        course.setGroups(references("IOP-GROUP"));
        ArrayOfCourse courses = new ArrayOfCourse();
        courses.getCourse().add(course);
        expect(done(exchange.syncCourses(null, null, null, null, null, courses)).getCreated() == 1, "one course");
    }

    /** A list of no items, and no list at all. */
    static void emptyList() throws Exception {
        for (boolean none : new boolean[] {false, true}) {
            List<SyncResult> results = Arrays.asList(
                exchange.syncContacts(null, null, null, null, null, none ? null : new ArrayOfContact()),
                exchange.syncClassrooms(null, null, null, null, null, none ? null : new ArrayOfClassroom()),
                exchange.syncTeachers(null, null, null, null, null, none ? null : new ArrayOfTeacher()),
                exchange.syncStudents(null, null, null, null, null, none ? null : new ArrayOfStudent()),
                exchange.syncCourses(null, null, null, null, null, none ? null : new ArrayOfCourse()));
            for (SyncResult result : results) expect(done(result).getReceived() == 0, "nothing received");
        }
        AcknowledgeResult acknowledged = exchange.acknowledgeRecords(null, new ArrayOfRecordNumber());
        expect(acknowledged.getAcknowledged() == 0, "nothing acknowledged");
    }

    static SignatureListResult signatures(String start, String end, ExchangePortType from) throws Exception {
        SignatureListResult result = from.getSignatureList(
            time(start), time(end), null, null, null, null, AttendanceStatus.PRESENT, true, null, 5);
        done(result.getReturnCode(), result.getMessage());
        return result;
    }

    static void getSignatureList() throws Exception {
        int signed = 0;
        for (CourseAttendance course : signatures("2026-09-01", "2026-09-18", exchange).getCourses().getCourse())
            for (Participant participant : course.getParticipants().getParticipant())
                if (participant.getImage() != null) {
                    expect(sha256(participant.getImage()).equals(participant.getImageSha256()), "an image as signed");
                    signed++;
                }
        expect(signed > 0, "signatures");
        ArrayOfCourseAttendance nothing = signatures("2020-01-01", "2020-01-02", exchange).getCourses();
        expect(nothing == null || nothing.getCourse().isEmpty(), "an empty list");
    }

    // Invoices and their records -------------------------------------------------------------------------------

    static void sendInvoice() throws Exception {
        byte[] pdf = Files.readAllBytes(folder.resolve("invoice.pdf"));
        InvoicingElements hints = new InvoicingElements();
        hints.setPayerName("OPCO " + TEXT);
        hints.setAmountInclVat(new BigDecimal("1148.60"));
        InvoiceResult result = exchange.sendInvoice(null, "facture " + TEXT + ".pdf", pdf, sha256(pdf), hints);
        done(result.getReturnCode(), result.getMessage());
        expect(result.getStatus() == RecordStatus.NEEDS_REVIEW && result.getDocumentId() != null, "a record");
        record = result.getRecordNumber();
    }

    static InvoicingElements elements(String number) throws Exception {
        InvoicedTrainee trainee = new InvoicedTrainee();
        trainee.setLastName("Lefèvre");
        trainee.setFirstName("Anaïs");
        trainee.setQuantity(new BigDecimal("51.05"));
        InvoicingElements invoice = new InvoicingElements();
        invoice.setInvoiceNumber(number);
        invoice.setInvoiceDate(time("2026-09-21"));
        invoice.setPeriodStart(time("2026-09-01"));
        invoice.setPeriodEnd(time("2026-09-18"));
        invoice.setPayerName("OPCO " + TEXT);
        invoice.setQuantity(new BigDecimal("51.05"));
        invoice.setUnit(QuantityUnit.HOUR);
        invoice.setAmountExclVat(new BigDecimal("1148.63"));
        invoice.setVatAmount(new BigDecimal("0.00"));
        invoice.setAmountInclVat(new BigDecimal("1148.63"));
        invoice.setTrainees(new ArrayOfInvoicedTrainee());
        invoice.getTrainees().getTrainee().add(trainee);
        return invoice;
    }

    static void reviewRecord() throws Exception {
        RecordResult result = exchange.reviewRecord(null, record, elements("IOP-F1"));
        done(result.getReturnCode(), result.getMessage());
        expect(result.getRecordIndex().getStatus() == RecordStatus.READY, "READY");
    }

    static void sendInvoicingInfo() throws Exception {
        InvoiceResult result = exchange.sendInvoicingInfo(null, elements("IOP-F2"));
        done(result.getReturnCode(), result.getMessage());
        expect(result.getStatus() == RecordStatus.READY, "READY");
    }

    static void addSimpleInvoice() throws Exception {
        DocumentResult result = exchange.addSimpleInvoice(null, record, "avoir " + TEXT + ".pdf", PAPER, null);
        done(result.getReturnCode(), result.getMessage());
        expect(result.getSha256().equals(sha256(PAPER)) && result.getSizeBytes() == PAPER.length, "the same bytes");
    }

    static void addSimpleDocument() throws Exception {
        DocumentResult result = exchange.addSimpleDocument(
            null, record, DocumentType.PROGRAMME, "Programme " + TEXT, "programme.pdf", PAPER, null);
        done(result.getReturnCode(), result.getMessage());
        expect(result.getDocumentId() != null, "a document id");
    }

    static RecordResult record(RecordFormat format, ExchangePortType from) throws Exception {
        RecordResult result = from.getRecord(record, format, null);
        done(result.getReturnCode(), result.getMessage());
        return result;
    }

    static void getRecord() throws Exception {
        RecordIndex index = record(RecordFormat.INDEX, exchange).getRecordIndex();
        expect(index.getInvoice().getPayerName().equals("OPCO " + TEXT), index.getInvoice().getPayerName());
        expect(index.getInvoice().getAmountInclVat().equals(new BigDecimal("1148.63")), "an amount");
        List<RecordDocument> documents = index.getDocuments().getDocument();
        expect(documents.get(documents.size() - 1).getTitle().equals("Programme " + TEXT), "the title");
        Files.write(folder.resolve("record.zip"), record(RecordFormat.ZIP, exchange).getContent());
    }

    static void getRecordList() throws Exception {
        RecordListResult first = exchange.getRecordList(1, null, true, null, null, null, null);
        done(first.getReturnCode(), first.getMessage());
        expect(first.getRecords().getRecordIndex().size() == 1 && first.getRemaining() >= 1, "one record and more");
        RecordListResult rest = exchange.getRecordList(null, first.getNextCursor(), true, null, null, null, null);
        done(rest.getReturnCode(), rest.getMessage());
        expect(rest.getRemaining() == 0 && !rest.getRecords().getRecordIndex().isEmpty(), "the rest");
    }

    static void acknowledgeRecords() throws Exception {
        ArrayOfRecordNumber numbers = new ArrayOfRecordNumber();
        numbers.getRecordNumber().add(record);
        AcknowledgeResult result = exchange.acknowledgeRecords(null, numbers);
        done(result.getReturnCode(), result.getMessage());
        expect(result.getAcknowledged() + result.getAlreadyExtracted() == 1, "one record");
    }

    // Files as attachments: MTOM -------------------------------------------------------------------------------

    static void mtomSent() throws Exception {
        ExchangePortType mtom = connectBasic(KEY, new MTOMFeature());
        byte[] pdf = Files.readAllBytes(folder.resolve("invoice.pdf"));
        DocumentResult result = mtom.addSimpleInvoice(null, record, "grande.pdf", pdf, sha256(pdf));
        done(result.getReturnCode(), result.getMessage());
        expect(result.getSizeBytes() == pdf.length, "the same bytes");
    }

    static void mtomReceived() throws Exception {
        ExchangePortType mtom = connectBasic(KEY, new MTOMFeature());
        byte[] plain = record(RecordFormat.ZIP, exchange).getContent();
        expect(Arrays.equals(record(RecordFormat.ZIP, mtom).getContent(), plain), "the same bytes");
        Map<String, Object> context = ((BindingProvider) mtom).getResponseContext();
        Map<?, ?> headers = (Map<?, ?>) context.get(MessageContext.HTTP_RESPONSE_HEADERS);
        expect(String.valueOf(headers.get("Content-type")).contains("multipart/related"), headers);
    }

    // What can go wrong ----------------------------------------------------------------------------------------

    interface Header {
        void addTo(SOAPHeader header) throws SOAPException;
    }

    /** Puts a header into each message. */
    static class WithHeader implements SOAPHandler<SOAPMessageContext> {
        final Header added;

        WithHeader(Header added) {
            this.added = added;
        }

        public boolean handleMessage(SOAPMessageContext context) {
            if (!(Boolean) context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY)) return true;
            try {
                SOAPEnvelope envelope = context.getMessage().getSOAPPart().getEnvelope();
                added.addTo(envelope.getHeader() == null ? envelope.addHeader() : envelope.getHeader());
                return true;
            } catch (SOAPException error) {
                throw new IllegalStateException(error);
            }
        }

        public boolean handleFault(SOAPMessageContext context) {
            return true;
        }

        public void close(MessageContext context) {}

        public Set<QName> getHeaders() {
            return Collections.emptySet();
        }
    }

    static ExchangePortType connectHeader(Header header) throws Exception {
        ExchangePortType plain = connect();
        ((BindingProvider) plain).getBinding().setHandlerChain(Collections.singletonList(new WithHeader(header)));
        return plain;
    }

    static Header credentials(String key) {
        return header -> {
            SOAPElement credentials = header.addHeaderElement(new QName(NAMESPACE, "Credentials"));
            credentials.addChildElement(new QName(NAMESPACE, "apiUser")).addTextNode(USER);
            credentials.addChildElement(new QName(NAMESPACE, "apiKey")).addTextNode(key);
        };
    }

    /** The first error of the fault that a call ends with, and its code. */
    static ErrorItem fault(ErrorCode code, Step call) throws Exception {
        try {
            call.run();
        } catch (ServiceException fault) {
            ServiceFault detail = fault.getFaultInfo();
            ErrorItem error = detail.getErrors().getError().get(0);
            expect(detail.getReturnCode().equals("500 ERROR") && error.getCode() == code, error.getMessage());
            return error;
        }
        throw new IllegalStateException("no fault");
    }

    static void credentialsHeader() throws Exception {
        expect(connectHeader(credentials(KEY)).checkConnection().getReturnCode().equals("200 OK"), "a connection");
        fault(ErrorCode.CREDENTIALS_REFUSED, () -> connectHeader(credentials("wrong")).checkConnection());
    }

    /** WS-Security: the key as a password in plain text, so over TLS only. */
    static void usernameToken() throws Exception {
        ExchangePortType plain = connectHeader(header -> {
            SOAPHeaderElement security = header.addHeaderElement(new QName(WSSE, "Security", "wsse"));
            security.setMustUnderstand(true);
            SOAPElement token = security.addChildElement(new QName(WSSE, "UsernameToken", "wsse"));
            token.addChildElement(new QName(WSSE, "Username", "wsse")).addTextNode(USER);
            token.addChildElement(new QName(WSSE, "Password", "wsse")).addTextNode(KEY);
        });
        expect(plain.checkConnection().getReturnCode().equals("200 OK"), "a connection");
    }

    /** What the operation refuses is in the result, not in a fault; then nothing of the message was stored. */
    static void refusal() throws Exception {
        RecordResult result = exchange.getRecord("1999-000001", RecordFormat.INDEX, null);
        expect(result.getReturnCode().equals("500 ERROR"), result.getReturnCode());
        expect(result.getErrors().getError().get(0).getCode() == ErrorCode.UNKNOWN_RECORD, result.getMessage());
    }

    static void schemaError() throws Exception {
        ArrayOfStudent students = new ArrayOfStudent();
        students.getStudent().add(student("IOP-S3", new String(new char[101]).replace('\0', 'x'), "é"));
        ErrorItem error = fault(
            ErrorCode.SCHEMA_INVALID, () -> exchange.syncStudents(null, null, null, null, null, students));
        expect(error.getPath().equals("/SyncStudents/students/student[1]/lastName"), error.getPath());
    }

    static String quoted(String text) {
        return '"' + String.valueOf(text).replaceAll("[\"\\\\\\p{Cntrl}]", " ") + '"';
    }

    public static void main(String[] arguments) throws Exception {
        wsdl = arguments[0];
        folder = Paths.get(arguments[1]);
        exchange = connectBasic(KEY);
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("CheckConnection", Client::checkConnection);
        steps.put("SyncContacts", Client::syncContacts);
        steps.put("SyncClassrooms", Client::syncClassrooms);
        steps.put("SyncTeachers", Client::syncTeachers);
        steps.put("SyncStudents", Client::syncStudents);
        steps.put("SyncCourses", Client::syncCourses);
        steps.put("GetSignatureList", Client::getSignatureList);
        steps.put("SendInvoice", Client::sendInvoice);
        steps.put("ReviewRecord", Client::reviewRecord);
        steps.put("SendInvoicingInfo", Client::sendInvoicingInfo);
        steps.put("AddSimpleInvoice", Client::addSimpleInvoice);
        steps.put("AddSimpleDocument", Client::addSimpleDocument);
        steps.put("GetRecord", Client::getRecord);
        steps.put("GetRecordList", Client::getRecordList);
        steps.put("AcknowledgeRecords", Client::acknowledgeRecords);
        steps.put("empty list", Client::emptyList);
        steps.put("credentials header", Client::credentialsHeader);
        steps.put("UsernameToken", Client::usernameToken);
        steps.put("refusal", Client::refusal);
        steps.put("fault", () -> fault(ErrorCode.CREDENTIALS_REFUSED, () -> connectBasic("wrong").checkConnection()));
        steps.put("schema error", Client::schemaError);
        steps.put("MTOM sent", Client::mtomSent);
        steps.put("MTOM received", Client::mtomReceived);
        for (Map.Entry<String, Step> each : steps.entrySet()) {
            String step = "{\"step\": " + quoted(each.getKey()) + ", \"ok\": ";
            try {
                each.getValue().run();
                System.out.println(step + "true}");
            } catch (Exception error) {
                System.out.println(step + "false, \"reason\": " + quoted(error.toString()) + "}");
            }
        }
    }
}
