// Four operations of the contract with JAX-WS RI: stubs by wsimport, the XSD by @SchemaValidation, the JDK's HTTP server.
//
//   java -cp … Server FOLDER        prints its address

import com.sun.net.httpserver.HttpServer;
import com.sun.xml.ws.developer.SchemaValidation;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import javax.jws.WebService;
import javax.xml.datatype.DatatypeConfigurationException;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.ws.Endpoint;
import stub.*;

@WebService(
        endpointInterface = "stub.ExchangePortType",
        targetNamespace = "urn:paraphe:exchange:v1",
        serviceName = "ParapheExchange",
        portName = "ExchangeSoap11",
        wsdlLocation = "v1.wsdl")
@SchemaValidation
public class Server implements ExchangePortType {
    private static final List<String> STUDENT = Arrays.asList(
            "reference", "civility", "lastName", "firstName", "birthDate", "email", "mobilePhone", "phone", "address",
            "start", "end", "employer", "financers", "groups", "training", "degree", "opcaNumber", "regionNumber",
            "unemployedNumber", "fileNumber", "cfaNumber", "requiredSignature", "data");
    private static final String UPSERT = "INSERT INTO student ("
            + STUDENT.stream().map(name -> '"' + name + '"').collect(Collectors.joining(", "))
            + ") VALUES (" + STUDENT.stream().map(name -> "?").collect(Collectors.joining(", "))
            + ") ON CONFLICT (reference) DO UPDATE SET "
            + STUDENT.stream().map(name -> '"' + name + "\" = excluded.\"" + name + '"').collect(Collectors.joining(", "))
            + " WHERE "
            + STUDENT.stream().map(name -> '"' + name + "\" IS NOT excluded.\"" + name + '"').collect(Collectors.joining(" OR "));

    private final Path folder;
    private final DatatypeFactory types;
    private final ThreadLocal<Database> database = ThreadLocal.withInitial(this::open);

    Server(Path folder) throws DatatypeConfigurationException {
        this.folder = folder;
        this.types = DatatypeFactory.newInstance();
    }

    /** The connection of a thread, with the statements that it has prepared. */
    private static final class Database {
        final Connection connection;
        final PreparedStatement upsert;
        final PreparedStatement lastId;
        final PreparedStatement records;
        final PreparedStatement trainees;
        final PreparedStatement document;

        Database(Path file) throws SQLException {
            connection = DriverManager.getConnection(
                    "jdbc:sqlite:" + file + "?journal_mode=WAL&synchronous=FULL&busy_timeout=30000&transaction_mode=IMMEDIATE");
            upsert = connection.prepareStatement(UPSERT);
            lastId = connection.prepareStatement("SELECT coalesce(max(id), 0) FROM student");
            records = connection.prepareStatement("SELECT * FROM record ORDER BY id LIMIT ?");
            trainees = connection.prepareStatement("SELECT * FROM trainee ORDER BY record LIMIT ?");
            document = connection.prepareStatement(
                    "INSERT INTO document (fileName, file, sizeBytes) VALUES (?, ?, ?)", Statement.RETURN_GENERATED_KEYS);
        }

        int lastId() throws SQLException {
            try (ResultSet found = lastId.executeQuery()) {
                found.next();
                return found.getInt(1);
            }
        }
    }

    private Database open() {
        try {
            return new Database(folder.resolve("data.sqlite"));
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Override
    public CheckConnectionResult checkConnection() {
        CheckConnectionResult result = new CheckConnectionResult();
        result.setReturnCode("200 OK");
        result.setMessage("You are connected.");
        result.setRequestId(UUID.randomUUID().toString());
        result.setAccount("Centre Horizon");
        result.setEnvironment(AccountEnvironment.SANDBOX);
        result.setServerTime(types.newXMLGregorianCalendar(new GregorianCalendar(TimeZone.getTimeZone("UTC"))));
        result.setProductVersion("1");
        result.setTimeZone("Europe/Paris");
        return result;
    }

    @Override
    public SyncResult syncStudents(
            String messageId, Boolean dryRun, SyncMode mode, OnError onError, Integer maxRemovals, ArrayOfStudent array) {
        List<Student> students = array == null ? new ArrayList<>() : array.getStudent();
        Database ours = database.get();
        int created;
        int written = 0;
        try {
            ours.connection.setAutoCommit(false);
            try {
                int before = ours.lastId();
                for (Student student : students) {
                    bind(ours.upsert, student);
                    ours.upsert.addBatch();
                }
                for (int changed : ours.upsert.executeBatch()) {
                    written += changed;
                }
                created = ours.lastId() - before;
                ours.connection.commit();
            } catch (SQLException failure) {
                ours.connection.rollback();
                throw failure;
            } finally {
                ours.connection.setAutoCommit(true);
            }
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
        SyncResult result = new SyncResult();
        result.setReturnCode("200 OK");
        result.setMessage(students.size() + " items received.");
        result.setRequestId(UUID.randomUUID().toString());
        result.setReceived(students.size());
        result.setCreated(created);
        result.setUpdated(written - created);
        result.setUnchanged(students.size() - written);
        return result;
    }

    private static void bind(PreparedStatement upsert, Student student) throws SQLException {
        Address address = student.getAddress();
        FreeData data = student.getData();
        String[] values = {
            student.getReference(), text(student.getCivility()), student.getLastName(), student.getFirstName(),
            text(student.getBirthDate()), student.getEmail(), student.getMobilePhone(), student.getPhone(),
            address == null ? null : joined(address.getAddressLine1(), address.getAddressLine2(), address.getAddressLine3(),
                    address.getAddressLine4(), address.getZipcode(), address.getCity(), address.getState(), address.getCountry()),
            text(student.getStart()), text(student.getEnd()), student.getEmployer(),
            joined(student.getFinancers()), joined(student.getGroups()), student.getTraining(), student.getDegree(),
            student.getOpcaNumber(), student.getRegionNumber(), student.getUnemployedNumber(), student.getFileNumber(),
            student.getCfaNumber(), text(student.isRequiredSignature()),
            data == null ? null : joined(data.getData1(), data.getData2(), data.getData3(), data.getData4(),
                    data.getData5(), data.getData6(), data.getData7(), data.getData8()),
        };
        for (int place = 0; place < values.length; place++) {
            if (values[place] == null) {
                upsert.setNull(place + 1, Types.VARCHAR);
            } else {
                upsert.setString(place + 1, values[place]);
            }
        }
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    private static String joined(String... members) {
        StringBuilder text = new StringBuilder();
        for (String member : members) {
            text.append(member == null ? "" : member).append('\n');
        }
        return text.toString();
    }

    private static String joined(ArrayOfReference array) {
        return array == null ? null : String.join("\n", array.getReference());
    }

    @Override
    public RecordListResult getRecordList(
            Integer limit, String cursor, Boolean includeExtracted, RecordStatus status, XMLGregorianCalendar from,
            XMLGregorianCalendar to, String invoiceNumber) {
        RecordListResult result = new RecordListResult();
        ArrayOfRecordIndex records = new ArrayOfRecordIndex();
        try {
            Map<Integer, ArrayOfInvoicedTrainee> trainees = trainees(limit == null ? 1000 : limit);
            PreparedStatement asked = database.get().records;
            asked.setInt(1, limit == null ? 1000 : limit);
            try (ResultSet row = asked.executeQuery()) {
                while (row.next()) {
                    records.getRecordIndex().add(record(row, trainees.get(row.getInt("id"))));
                }
            }
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
        result.setReturnCode("200 OK");
        result.setMessage(records.getRecordIndex().size() + " records.");
        result.setRequestId(UUID.randomUUID().toString());
        result.setRecords(records);
        result.setRemaining(0);
        return result;
    }

    private Map<Integer, ArrayOfInvoicedTrainee> trainees(int limit) throws SQLException {
        Map<Integer, ArrayOfInvoicedTrainee> found = new HashMap<>();
        PreparedStatement asked = database.get().trainees;
        asked.setInt(1, limit);
        try (ResultSet row = asked.executeQuery()) {
            while (row.next()) {
                InvoicedTrainee trainee = new InvoicedTrainee();
                trainee.setReference(row.getString("reference"));
                trainee.setLastName(row.getString("lastName"));
                trainee.setFirstName(row.getString("firstName"));
                trainee.setQuantity(amount(row.getString("quantity")));
                trainee.setUnit(QuantityUnit.fromValue(row.getString("unit")));
                trainee.setContractNumber(row.getString("contractNumber"));
                trainee.setFileNumber(row.getString("fileNumber"));
                trainee.setAmountExclVat(amount(row.getString("amountExclVat")));
                found.computeIfAbsent(row.getInt("record"), record -> new ArrayOfInvoicedTrainee()).getTrainee().add(trainee);
            }
        }
        return found;
    }

    private RecordIndex record(ResultSet row, ArrayOfInvoicedTrainee trainees) throws SQLException {
        InvoicingElements invoice = new InvoicingElements();
        invoice.setInvoiceNumber(row.getString("invoiceNumber"));
        invoice.setInvoiceDate(moment(row.getString("invoiceDate")));
        invoice.setPeriodStart(moment(row.getString("periodStart")));
        invoice.setPeriodEnd(moment(row.getString("periodEnd")));
        invoice.setPayerReference(row.getString("payerReference"));
        invoice.setPayerName(row.getString("payerName"));
        invoice.setContractNumber(row.getString("contractNumber"));
        invoice.setFileNumber(row.getString("fileNumber"));
        invoice.setSellerSiret(row.getString("sellerSiret"));
        invoice.setQuantity(amount(row.getString("quantity")));
        invoice.setUnit(QuantityUnit.fromValue(row.getString("unit")));
        invoice.setAmountExclVat(amount(row.getString("amountExclVat")));
        invoice.setVatAmount(amount(row.getString("vatAmount")));
        invoice.setAmountInclVat(amount(row.getString("amountInclVat")));
        invoice.setTrainees(trainees);
        RecordIndex index = new RecordIndex();
        index.setRecordNumber(row.getString("recordNumber"));
        index.setStatus(RecordStatus.fromValue(row.getString("status")));
        index.setVersion(row.getInt("version"));
        index.setCreatedOn(moment(row.getString("createdOn")));
        index.setModifiedOn(moment(row.getString("modifiedOn")));
        index.setInvoice(invoice);
        index.setDocumentCount(row.getInt("documentCount"));
        index.setSizeBytes(row.getInt("sizeBytes"));
        index.setPdfUrl(row.getString("pdfUrl"));
        index.setZipUrl(row.getString("zipUrl"));
        index.setUrlsExpireOn(moment(row.getString("urlsExpireOn")));
        return index;
    }

    private static BigDecimal amount(String text) {
        return text == null ? null : new BigDecimal(text);
    }

    private XMLGregorianCalendar moment(String text) {
        return text == null ? null : types.newXMLGregorianCalendar(text);
    }

    @Override
    public InvoiceResult sendInvoice(String messageId, String fileName, byte[] content, String sha256, InvoicingElements hints) {
        String name = UUID.randomUUID().toString();
        Path whole = folder.resolve("store").resolve(name);
        Path part = whole.resolveSibling(name + ".part");
        InvoiceResult result = new InvoiceResult();
        try {
            try (FileChannel file = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                for (ByteBuffer left = ByteBuffer.wrap(content); left.hasRemaining();) {
                    file.write(left);
                }
                file.force(true);
            }
            Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE);
            PreparedStatement insert = database.get().document;
            insert.setString(1, fileName);
            insert.setString(2, name);
            insert.setInt(3, content.length);
            insert.executeUpdate();
            try (ResultSet keys = insert.getGeneratedKeys()) {
                keys.next();
                result.setRecordNumber(String.format("2026-%06d", keys.getInt(1)));
            }
        } catch (java.io.IOException | SQLException failure) {
            throw new IllegalStateException(failure);
        }
        result.setReturnCode("200 OK");
        result.setMessage("A record is opened.");
        result.setRequestId(UUID.randomUUID().toString());
        result.setStatus(RecordStatus.NEEDS_REVIEW);
        return result;
    }

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        Endpoint.create(new Server(Path.of(arguments[0]))).publish(server.createContext("/soap/v1"));
        server.start();
        System.out.println("http://127.0.0.1:" + server.getAddress().getPort());
    }
}
