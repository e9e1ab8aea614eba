// Four operations of the contract with gSOAP: generated readers and writers, a thread for each connection.
//
//   server FOLDER        prints its address

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "ExchangeSoap11Binding.nsmap"
#include "soapExchangeSoap11BindingService.h"

namespace {

const char *const STUDENT[] = {"reference", "civility", "lastName", "firstName", "birthDate", "email", "mobilePhone",
                               "phone", "address", "start", "end", "employer", "financers", "groups", "training",
                               "degree", "opcaNumber", "regionNumber", "unemployedNumber", "fileNumber", "cfaNumber",
                               "requiredSignature", "data"};
const char *const RECORDS =
    "SELECT id, recordNumber, status, version, createdOn, modifiedOn, invoiceNumber, invoiceDate, periodStart, periodEnd,"
    " payerReference, payerName, contractNumber, fileNumber, sellerSiret, quantity, unit, amountExclVat, vatAmount,"
    " amountInclVat, documentCount, sizeBytes, pdfUrl, zipUrl, urlsExpireOn FROM record ORDER BY id LIMIT ?";
const char *const TRAINEES =
    "SELECT record, reference, lastName, firstName, quantity, unit, contractNumber, fileNumber, amountExclVat"
    " FROM trainee ORDER BY record LIMIT ?";

std::string folder;
std::atomic<unsigned> numbers{0};

std::string upsert() {
    std::string columns, places, set, differs;
    for (const char *name : STUDENT) {
        const std::string quoted = '"' + std::string(name) + '"', comma = columns.empty() ? "" : ", ";
        columns += comma + quoted;
        places += comma + "?";
        set += comma + quoted + " = excluded." + quoted;
        differs += (differs.empty() ? "" : " OR ") + quoted + " IS NOT excluded." + quoted;
    }
    return "INSERT INTO student (" + columns + ") VALUES (" + places + ") ON CONFLICT (reference) DO UPDATE SET " + set +
           " WHERE " + differs;
}

// The connection of a thread, with the statements that it has prepared.
class Database {
public:
    Database() {
        if (sqlite3_open((folder + "/data.sqlite").c_str(), &connection) != SQLITE_OK) fail();
        sqlite3_busy_timeout(connection, 30000);
        run("PRAGMA journal_mode = WAL");
        run("PRAGMA synchronous = FULL");
        student = prepare(upsert().c_str());
        last = prepare("SELECT coalesce(max(id), 0) FROM student");
        records = prepare(RECORDS);
        trainees = prepare(TRAINEES);
        document = prepare("INSERT INTO document (fileName, file, sizeBytes) VALUES (?, ?, ?)");
    }
    ~Database() {
        for (sqlite3_stmt *statement : {student, last, records, trainees, document}) sqlite3_finalize(statement);
        sqlite3_close(connection);
    }
    void run(const char *sql) {
        if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
    }
    // Does a statement; true if a row is there. A statement that is over can be done again.
    bool step(sqlite3_stmt *statement) {
        const int code = sqlite3_step(statement);
        if (code == SQLITE_ROW) return true;
        if (code != SQLITE_DONE) fail();
        sqlite3_reset(statement);
        return false;
    }
    int last_id() {
        step(last);
        const int found = sqlite3_column_int(last, 0);
        sqlite3_reset(last);
        return found;
    }
    [[noreturn]] void fail() { throw std::runtime_error(sqlite3_errmsg(connection)); }

    sqlite3 *connection = nullptr;
    sqlite3_stmt *student, *last, *records, *trainees, *document;

private:
    sqlite3_stmt *prepare(const char *sql) {
        sqlite3_stmt *made = nullptr;
        if (sqlite3_prepare_v2(connection, sql, -1, &made, nullptr) != SQLITE_OK) fail();
        return made;
    }
};

Database &database() {
    thread_local Database ours;
    return ours;
}

template <typename Result>
Result *success(Result *result, const char *message) {
    result->returnCode = "200 OK";
    result->message = message;
    result->requestId = std::to_string(++numbers);
    result->duplicate = false;
    return result;
}

// Values that live as long as the answer.
template <typename Value>
Value *kept(struct soap *soap, Value value) {
    static_assert(std::is_trivially_copyable_v<Value>);
    Value *made = static_cast<Value *>(soap_malloc(soap, sizeof(Value)));
    *made = value;
    return made;
}

std::string *kept(struct soap *soap, std::string text) {
    std::string *made = soap_new_std__string(soap);
    *made = std::move(text);
    return made;
}

void put(sqlite3_stmt *statement, int place, const std::string *text) {
    if (text)
        sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, place);
}

std::string joined(std::initializer_list<const std::string *> members) {
    std::string text;
    for (const std::string *member : members) text += (member ? *member : "") + '\n';
    return text;
}

std::string joined(const std::vector<std::string> &members) {
    std::string text;
    for (const std::string &member : members) text += member + '\n';
    return text;
}

void put(struct soap *soap, sqlite3_stmt *into, const ns1__Student &student) {
    // They are bound as they are, and live until the row is written.
    thread_local std::string civility, address, data, financers, groups, signature;
    if (student.civility) civility = soap_ns1__Civility2s(soap, *student.civility);
    if (const ns1__Address *a = student.address)
        address = joined({a->addressLine1, a->addressLine2, a->addressLine3, a->addressLine4, a->zipcode, a->city, a->state,
                          a->country});
    if (const ns1__FreeData *d = student.data)
        data = joined({d->data1, d->data2, d->data3, d->data4, d->data5, d->data6, d->data7, d->data8});
    if (student.financers) financers = joined(student.financers->reference);
    if (student.groups) groups = joined(student.groups->reference);
    if (student.requiredSignature) signature = *student.requiredSignature ? "true" : "false";
    const std::string *texts[] = {
        &student.reference, student.civility ? &civility : nullptr, &student.lastName, &student.firstName,
        student.birthDate, student.email, student.mobilePhone, student.phone, student.address ? &address : nullptr,
        student.start, student.end, student.employer, student.financers ? &financers : nullptr,
        student.groups ? &groups : nullptr, student.training, student.degree, student.opcaNumber, student.regionNumber,
        student.unemployedNumber, student.fileNumber, student.cfaNumber, student.requiredSignature ? &signature : nullptr,
        student.data ? &data : nullptr};
    int place = 0;
    for (const std::string *text : texts)
        put(into, ++place, text);
}

// What stands in a column of a row.
std::string text(sqlite3_stmt *row, int column) {
    return std::string(reinterpret_cast<const char *>(sqlite3_column_text(row, column)), sqlite3_column_bytes(row, column));
}

std::string *optional(struct soap *soap, sqlite3_stmt *row, int column) {
    return sqlite3_column_type(row, column) == SQLITE_NULL ? nullptr : kept(soap, text(row, column));
}

ns1__QuantityUnit *unit(struct soap *soap, sqlite3_stmt *row, int column) {
    ns1__QuantityUnit found;
    soap_s2ns1__QuantityUnit(soap, reinterpret_cast<const char *>(sqlite3_column_text(row, column)), &found);
    return kept(soap, found);
}

ns1__InvoicedTrainee *trainee(struct soap *soap, sqlite3_stmt *row) {
    ns1__InvoicedTrainee *made = soap_new_ns1__InvoicedTrainee(soap);
    made->reference = optional(soap, row, 1);
    made->lastName = optional(soap, row, 2);
    made->firstName = optional(soap, row, 3);
    made->quantity = optional(soap, row, 4);
    made->unit = unit(soap, row, 5);
    made->contractNumber = optional(soap, row, 6);
    made->fileNumber = optional(soap, row, 7);
    made->amountExclVat = optional(soap, row, 8);
    return made;
}

ns1__RecordIndex *record(struct soap *soap, sqlite3_stmt *row) {
    ns1__InvoicingElements *invoice = soap_new_ns1__InvoicingElements(soap);
    invoice->invoiceNumber = optional(soap, row, 6);
    invoice->invoiceDate = optional(soap, row, 7);
    invoice->periodStart = optional(soap, row, 8);
    invoice->periodEnd = optional(soap, row, 9);
    invoice->payerReference = optional(soap, row, 10);
    invoice->payerName = optional(soap, row, 11);
    invoice->contractNumber = optional(soap, row, 12);
    invoice->fileNumber = optional(soap, row, 13);
    invoice->sellerSiret = optional(soap, row, 14);
    invoice->quantity = optional(soap, row, 15);
    invoice->unit = unit(soap, row, 16);
    invoice->amountExclVat = optional(soap, row, 17);
    invoice->vatAmount = optional(soap, row, 18);
    invoice->amountInclVat = optional(soap, row, 19);
    invoice->trainees = soap_new_ns1__ArrayOfInvoicedTrainee(soap);
    ns1__RecordIndex *made = soap_new_ns1__RecordIndex(soap);
    made->recordNumber = text(row, 1);
    soap_s2ns1__RecordStatus(soap, reinterpret_cast<const char *>(sqlite3_column_text(row, 2)), &made->status);
    made->version = sqlite3_column_int(row, 3);
    made->createdOn = sqlite3_column_int64(row, 4);
    made->modifiedOn = sqlite3_column_int64(row, 5);
    made->invoice = invoice;
    made->documentCount = sqlite3_column_int(row, 20);
    made->sizeBytes = sqlite3_column_int(row, 21);
    made->pdfUrl = optional(soap, row, 22);
    made->zipUrl = text(row, 23);
    made->urlsExpireOn = sqlite3_column_int64(row, 24);
    return made;
}

void store(const std::string &path, const unsigned char *content, size_t length) {
    const std::string part = path + ".part";
    const int file = open(part.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0) throw std::runtime_error("The file cannot be made.");
    for (size_t done = 0; done < length;) {
        const ssize_t wrote = write(file, content + done, length - done);
        if (wrote < 0) throw std::runtime_error("The file cannot be written.");
        done += static_cast<size_t>(wrote);
    }
    if (fsync(file) || close(file) || rename(part.c_str(), path.c_str()))
        throw std::runtime_error("The file cannot be kept.");
}

void serve(ExchangeSoap11BindingService *service) {
    service->serve();  // all requests of this connection
    delete service;
}

}  // namespace

int ExchangeSoap11BindingService::CheckConnection(_ns1__CheckConnection *, _ns1__CheckConnectionResponse &response) {
    ns1__CheckConnectionResult *result = success(soap_new_ns1__CheckConnectionResult(soap), "You are connected.");
    result->account = kept(soap, std::string("Centre Horizon"));
    result->environment = kept(soap, ns1__AccountEnvironment::SANDBOX);
    result->serverTime = kept(soap, time(nullptr));
    result->productVersion = kept(soap, std::string("1"));
    result->timeZone = kept(soap, std::string("Europe/Paris"));
    response.CheckConnectionResult = result;
    return SOAP_OK;
}

int ExchangeSoap11BindingService::SyncStudents(_ns1__SyncStudents *message, _ns1__SyncStudentsResponse &response) {
    Database &ours = database();
    int received = 0, written = 0, created = 0;
    ours.run("BEGIN IMMEDIATE");
    try {
        const int before = ours.last_id();
        if (message->students)
            for (const ns1__Student *student : message->students->student) {
                put(soap, ours.student, *student);
                ours.step(ours.student);
                written += sqlite3_changes(ours.connection);
                ++received;
            }
        created = ours.last_id() - before;
        ours.run("COMMIT");
    } catch (const std::runtime_error &failure) {
        sqlite3_exec(ours.connection, "ROLLBACK", nullptr, nullptr, nullptr);
        return soap_receiverfault(failure.what(), nullptr);
    }
    ns1__SyncResult *result = success(soap_new_ns1__SyncResult(soap), "All items were received.");
    result->received = kept(soap, received);
    result->created = kept(soap, created);
    result->updated = kept(soap, written - created);
    result->unchanged = kept(soap, received - written);
    response.SyncStudentsResult = result;
    return SOAP_OK;
}

int ExchangeSoap11BindingService::GetRecordList(_ns1__GetRecordList *message, _ns1__GetRecordListResponse &response) {
    Database &ours = database();
    const int limit = message->limit ? *message->limit : 1000;
    ns1__RecordListResult *result = success(soap_new_ns1__RecordListResult(soap), "These are the records.");
    result->records = soap_new_ns1__ArrayOfRecordIndex(soap);
    std::map<sqlite3_int64, ns1__RecordIndex *> by_id;
    sqlite3_bind_int(ours.records, 1, limit);
    while (ours.step(ours.records)) {
        ns1__RecordIndex *made = record(soap, ours.records);
        by_id[sqlite3_column_int64(ours.records, 0)] = made;
        result->records->recordIndex.push_back(made);
    }
    sqlite3_bind_int(ours.trainees, 1, limit);
    while (ours.step(ours.trainees)) {
        const auto of = by_id.find(sqlite3_column_int64(ours.trainees, 0));
        if (of != by_id.end()) of->second->invoice->trainees->trainee.push_back(trainee(soap, ours.trainees));
    }
    result->remaining = kept(soap, 0);
    response.GetRecordListResult = result;
    return SOAP_OK;
}

int ExchangeSoap11BindingService::SendInvoice(_ns1__SendInvoice *message, _ns1__SendInvoiceResponse &response) {
    Database &ours = database();
    const std::string name = std::to_string(getpid()) + "-" + std::to_string(++numbers);
    try {
        store(folder + "/store/" + name, message->content.__ptr, static_cast<size_t>(message->content.__size));
        put(ours.document, 1, &message->fileName);
        put(ours.document, 2, &name);
        sqlite3_bind_int(ours.document, 3, message->content.__size);
        ours.step(ours.document);
    } catch (const std::runtime_error &failure) {
        return soap_receiverfault(failure.what(), nullptr);
    }
    char number[32];
    std::snprintf(number, sizeof number, "2026-%06lld", static_cast<long long>(sqlite3_last_insert_rowid(ours.connection)));
    ns1__InvoiceResult *result = success(soap_new_ns1__InvoiceResult(soap), "A record is opened.");
    result->recordNumber = kept(soap, std::string(number));
    result->status = kept(soap, ns1__RecordStatus::NEEDS_USCOREREVIEW);
    response.SendInvoiceResult = result;
    return SOAP_OK;
}

int main(int, char **arguments) {
    folder = arguments[1];
    setenv("TZ", "UTC", 1);
    ExchangeSoap11BindingService service(SOAP_IO_KEEPALIVE | SOAP_C_UTFSTRING | SOAP_XML_STRICT,
                                         SOAP_IO_KEEPALIVE | SOAP_IO_CHUNK | SOAP_C_UTFSTRING | SOAP_XML_TREE);
    service.soap->max_keep_alive = 0;  // no end of requests on a connection
    service.soap->accept_flags = 0;
    service.soap->bind_flags = SO_REUSEADDR;
    const SOAP_SOCKET listens = service.bind("127.0.0.1", 0, 100);
    sockaddr_in bound{};
    socklen_t length = sizeof bound;
    if (!soap_valid_socket(listens) || getsockname(listens, reinterpret_cast<sockaddr *>(&bound), &length)) return 1;
    std::cout << "http://127.0.0.1:" << ntohs(bound.sin_port) << std::endl;
    while (soap_valid_socket(service.accept())) std::thread(serve, service.copy()).detach();
}
