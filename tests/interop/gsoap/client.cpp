/*
 * Every operation of a Paraphe exchange with gSOAP; `build` beside this file makes it.
 *
 * API_USER=… API_KEY=… ./client https://exchange.example.org/soap/v1 FOLDER
 *
 * FOLDER holds invoice.pdf; record.zip is written there. What gSOAP makes of the WSDL: an optional element is a
 * pointer, null when it is absent; a list is a std::vector; a decimal and a date are text; a dateTime is time_t;
 * an underscore in an enumeration is _USCORE; a file is pointer and size, and with a type an attachment.
 */
#include PROXY_H
#include NAMESPACES

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

static const std::string TEXT = u8"é œ ß 😀";
static const std::string PAPER = "%PDF-1.4\n% a small paper\n%%EOF\n";
static std::string address, user, key, folder, record;

static void expect(bool condition, const std::string &what)
{
    if (!condition)
        throw std::runtime_error("not as expected: " + what);
}

/* A connection with HTTP Basic, or without credentials. Objects live as long as their connection. */
struct Exchange
{
    PROXY proxy;
    soap *context = proxy.soap;

    explicit Exchange(const std::string &with_user = "", const std::string &with_key = "")
    {
        // Without SOAP_C_UTFSTRING, gSOAP takes each byte of a std::string for a Latin-1 character.
        soap_set_mode(context, SOAP_C_UTFSTRING);
        proxy.soap_endpoint = address.c_str();
        basic_user = with_user;
        basic_key = with_key;
    }

    template <class T> T *make()
    {
        auto made = std::make_shared<T>();
        made->soap_default(context);
        kept.push_back(made);
        return made.get();
    }

    std::string *text(const std::string &value)
    {
        std::string *made = soap_new_std__string(context);
        *made = value;
        return made;
    }

    template <class T> T *value(T of)
    {
        T *made = static_cast<T *>(soap_malloc(context, sizeof(T)));
        *made = of;
        return made;
    }

    xsd__base64Binary file(const std::string &content)
    {
        xsd__base64Binary made;
        made.__ptr = static_cast<unsigned char *>(soap_malloc(context, content.size()));
        made.__size = static_cast<int>(content.size());
        std::copy(content.begin(), content.end(), made.__ptr);
        return made;
    }

    /* Call an operation. A fault becomes an exception; `fault()` then has its typed detail. */
    template <class Request, class Response>
    void call(int (PROXY::*operation)(Request *, Response &), Request &request, Response &response)
    {
        if (!basic_user.empty())
        {
            // gSOAP forgets them after each call.
            context->userid = basic_user.c_str();
            context->passwd = basic_key.c_str();
        }
        if ((proxy.*operation)(&request, response) != SOAP_OK)
        {
            std::ostringstream said;
            proxy.soap_stream_fault(said);
            throw std::runtime_error(said.str());
        }
    }

    ns1__ServiceFault *fault()
    {
        if (!context->fault)
            return nullptr;
        SOAP_ENV__Detail *detail = context->version == 2 ? context->fault->SOAP_ENV__Detail : context->fault->detail;
        return detail ? detail->ns1__ServiceFault_ : nullptr;
    }

private:
    std::string basic_user, basic_key;
    std::vector<std::shared_ptr<void>> kept;
};

static Exchange *exchange;

template <class Result> static void expect_done(const Result *result)
{
    expect(result != nullptr, "a result");
    expect(result->returnCode == "200 OK", result->returnCode + " " + result->message);
}

static ns1__InvoicingElements *elements(const std::string &number)
{
    Exchange &e = *exchange;
    auto *trainee = e.make<ns1__InvoicedTrainee>();
    trainee->lastName = e.text(u8"Lefèvre");
    trainee->firstName = e.text(u8"Anaïs");
    trainee->quantity = e.text("51.05");
    auto *said = e.make<ns1__InvoicingElements>();
    said->invoiceNumber = e.text(number);
    said->invoiceDate = e.text("2026-09-21");
    said->periodStart = e.text("2026-09-01");
    said->periodEnd = e.text("2026-09-18");
    said->payerName = e.text("OPCO " + TEXT);
    said->quantity = e.text("51.05");
    said->unit = e.value(ns1__QuantityUnit::HOUR);
    said->amountExclVat = e.text("1148.63");
    said->vatAmount = e.text("0.00");
    said->amountInclVat = e.text("1148.63");
    said->trainees = e.make<ns1__ArrayOfInvoicedTrainee>();
    said->trainees->trainee.push_back(trainee);
    return said;
}

/* Repositories ---------------------------------------------------------------------------------------------- */

static void check_connection()
{
    _ns1__CheckConnection request;
    _ns1__CheckConnectionResponse response;
    exchange->call(&PROXY::CheckConnection, request, response);
    auto *result = response.CheckConnectionResult;
    expect_done(result);
    expect(*result->environment == ns1__AccountEnvironment::SANDBOX, "a sandbox");
    expect(result->account->find(TEXT) != std::string::npos, *result->account);
    expect(*result->serverTime > 1700000000 && result->limits->limit.size() > 1, "time and limits");
}

static void sync_contacts()
{
    auto *contact = exchange->make<ns1__Contact>();
    contact->reference = "IOP-OPCO";
    contact->type = ns1__ContactType::OPCO;
    contact->organisation = exchange->text("OPCO " + TEXT);
    _ns1__SyncContacts request;
    _ns1__SyncContactsResponse response;
    request.contacts = exchange->make<ns1__ArrayOfContact>();
    request.contacts->contact.push_back(contact);
    exchange->call(&PROXY::SyncContacts, request, response);
    expect_done(response.SyncContactsResult);
    expect(response.SyncContactsResult->items->item.at(0)->action == ns1__SyncAction::CREATED, "created");
}

static void sync_classrooms()
{
    auto *room = exchange->make<ns1__Classroom>();
    room->reference = "IOP-ROOM";
    room->name = exchange->text("Salle " + TEXT);
    room->capacity = exchange->value(16);
    room->address = exchange->make<ns1__Address>();
    room->address->city = exchange->text(u8"Orléans");
    _ns1__SyncClassrooms request;
    _ns1__SyncClassroomsResponse response;
    request.classrooms = exchange->make<ns1__ArrayOfClassroom>();
    request.classrooms->classroom.push_back(room);
    exchange->call(&PROXY::SyncClassrooms, request, response);
    expect_done(response.SyncClassroomsResult);
    expect(*response.SyncClassroomsResult->created == 1, "one room");
}

static void sync_teachers()
{
    _ns1__SyncTeachers request;
    auto *teacher = exchange->make<ns1__Teacher>();
    teacher->reference = "IOP-T1";
    teacher->lastName = u8"Œuvrard " + TEXT;
    teacher->firstName = u8"Zoë";
    request.teachers = exchange->make<ns1__ArrayOfTeacher>();
    request.teachers->teacher.push_back(teacher);
    _ns1__SyncTeachersResponse response;
    exchange->call(&PROXY::SyncTeachers, request, response);
    expect_done(response.SyncTeachersResult);
    expect(*response.SyncTeachersResult->created == 1, "one teacher");
}

static void sync_students()
{
    Exchange &e = *exchange;
    auto *full = e.make<ns1__Student>();
    full->reference = "IOP-S1";
    full->civility = e.value(ns1__Civility::MME);
    full->lastName = u8"Lefèvre " + TEXT;
    full->firstName = u8"Anaïs";
    full->birthDate = e.text("2001-02-28");
    full->address = e.make<ns1__Address>();
    full->address->addressLine1 = e.text(u8"1 rue de l'Œuvre");
    full->address->city = e.text(u8"Besançon");
    full->address->country = e.text("FR");
    full->financers = e.make<ns1__ArrayOfReference>();
    full->groups = e.make<ns1__ArrayOfReference>();
    full->groups->reference.push_back("IOP-GROUP");
    full->requiredSignature = e.value(true);
    full->data = e.make<ns1__FreeData>();
    full->data->data1 = e.text(u8"Straße");
    auto *brief = e.make<ns1__Student>();
    brief->reference = "IOP-S2";
    brief->lastName = "Ba";
    brief->firstName = u8"Ü";

    _ns1__SyncStudents request;
    request.students = e.make<ns1__ArrayOfStudent>();
    request.students->student = {full, brief};
    request.dryRun = e.value(true);
    _ns1__SyncStudentsResponse tried;
    e.call(&PROXY::SyncStudents, request, tried);
    expect_done(tried.SyncStudentsResult);
    expect(*tried.SyncStudentsResult->dryRun && *tried.SyncStudentsResult->created == 2, "a dry run");

    // The same messageId again is answered with the first answer again, and stored once.
    request.dryRun = nullptr;
    request.mode = e.value(ns1__SyncMode::UPSERT);
    request.messageId = e.text("IOP-1");
    for (bool again : {false, true})
    {
        _ns1__SyncStudentsResponse response;
        e.call(&PROXY::SyncStudents, request, response);
        expect_done(response.SyncStudentsResult);
        expect(*response.SyncStudentsResult->created == 2, "two students");
        expect(response.SyncStudentsResult->duplicate == again, "the first answer again");
    }
}

static void sync_courses()
{
    auto *course = exchange->make<ns1__Course>();
    course->reference = "IOP-C1";
    course->name = u8"Bases de données " + TEXT;
    course->start = 1789369200; // 2026-09-14T07:00:00Z; gSOAP sends UTC
    course->end = course->start + 3 * 3600;
    course->classroom = exchange->text("IOP-ROOM");
    course->modality = exchange->value(ns1__Modality::ON_USCORESITE);
    course->teachers = exchange->make<ns1__ArrayOfReference>();
    course->teachers->reference.push_back("IOP-T1");
    course->groups = exchange->make<ns1__ArrayOfReference>();
    course->groups->reference.push_back("IOP-GROUP");
    _ns1__SyncCourses request;
    _ns1__SyncCoursesResponse response;
    request.courses = exchange->make<ns1__ArrayOfCourse>();
    request.courses->course.push_back(course);
    exchange->call(&PROXY::SyncCourses, request, response);
    expect_done(response.SyncCoursesResult);
    expect(*response.SyncCoursesResult->created == 1, "one course");
}

/* A list of no items, and no list at all. */
template <class Request, class Response, class List, class Result>
static void sync_nothing(int (PROXY::*operation)(Request *, Response &), List *Request::*list, Result *Response::*result)
{
    for (List *items : {exchange->make<List>(), static_cast<List *>(nullptr)})
    {
        Request request;
        Response response;
        request.*list = items;
        exchange->call(operation, request, response);
        expect_done(response.*result);
        expect(*(response.*result)->received == 0, "nothing received");
    }
}

#define SYNC_NOTHING(operation, list) \
    sync_nothing(&PROXY::operation, &_ns1__##operation::list, &_ns1__##operation##Response::operation##Result)

static void empty_list()
{
    SYNC_NOTHING(SyncContacts, contacts);
    SYNC_NOTHING(SyncClassrooms, classrooms);
    SYNC_NOTHING(SyncTeachers, teachers);
    SYNC_NOTHING(SyncStudents, students);
    SYNC_NOTHING(SyncCourses, courses);
    _ns1__AcknowledgeRecords request;
    _ns1__AcknowledgeRecordsResponse response;
    request.recordNumbers = exchange->make<ns1__ArrayOfRecordNumber>();
    exchange->call(&PROXY::AcknowledgeRecords, request, response);
    expect_done(response.AcknowledgeRecordsResult);
    expect(*response.AcknowledgeRecordsResult->acknowledged == 0, "nothing acknowledged");
}

static void get_signature_list()
{
    _ns1__GetSignatureList request;
    _ns1__GetSignatureListResponse response;
    request.periodStart = exchange->text("2026-09-01");
    request.periodEnd = exchange->text("2026-09-18");
    request.status = exchange->value(ns1__AttendanceStatus::PRESENT);
    request.includeImages = exchange->value(true);
    request.limit = exchange->value(5);
    exchange->call(&PROXY::GetSignatureList, request, response);
    expect_done(response.GetSignatureListResult);
    int signatures = 0;
    for (auto *course : response.GetSignatureListResult->courses->course)
        for (auto *participant : course->participants->participant)
            if (participant->image)
            {
                expect(std::string(participant->image->__ptr, participant->image->__ptr + 4) == "\x89PNG", "a PNG");
                signatures++;
            }
    expect(signatures > 0, "signatures");

    _ns1__GetSignatureList elsewhen;
    _ns1__GetSignatureListResponse nothing;
    elsewhen.periodStart = exchange->text("2020-01-01");
    elsewhen.periodEnd = exchange->text("2020-01-02");
    exchange->call(&PROXY::GetSignatureList, elsewhen, nothing);
    expect_done(nothing.GetSignatureListResult);
    auto *courses = nothing.GetSignatureListResult->courses;
    expect(!courses || courses->course.empty(), "an empty list");
}

/* Invoices and their records -------------------------------------------------------------------------------- */

static std::string read(const std::string &name)
{
    std::ifstream file(folder + "/" + name, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

static void send_invoice()
{
    _ns1__SendInvoice request;
    _ns1__SendInvoiceResponse response;
    request.fileName = "facture " + TEXT + ".pdf";
    request.content = exchange->file(read("invoice.pdf"));
    request.hints = exchange->make<ns1__InvoicingElements>();
    request.hints->payerName = exchange->text("OPCO " + TEXT);
    request.hints->amountInclVat = exchange->text("1148.60");
    exchange->call(&PROXY::SendInvoice, request, response);
    expect_done(response.SendInvoiceResult);
    expect(*response.SendInvoiceResult->status == ns1__RecordStatus::NEEDS_USCOREREVIEW, "NEEDS_REVIEW");
    record = *response.SendInvoiceResult->recordNumber;
}

static void review_record()
{
    _ns1__ReviewRecord request;
    _ns1__ReviewRecordResponse response;
    request.recordNumber = record;
    request.invoice = elements("IOP-F1");
    exchange->call(&PROXY::ReviewRecord, request, response);
    expect_done(response.ReviewRecordResult);
    expect(response.ReviewRecordResult->recordIndex->status == ns1__RecordStatus::READY, "READY");
}

static void send_invoicing_info()
{
    _ns1__SendInvoicingInfo request;
    _ns1__SendInvoicingInfoResponse response;
    request.invoice = elements("IOP-F2");
    exchange->call(&PROXY::SendInvoicingInfo, request, response);
    expect_done(response.SendInvoicingInfoResult);
    expect(*response.SendInvoicingInfoResult->status == ns1__RecordStatus::READY, "READY");
}

static void add_simple_invoice()
{
    _ns1__AddSimpleInvoice request;
    _ns1__AddSimpleInvoiceResponse response;
    request.recordNumber = record;
    request.fileName = "avoir " + TEXT + ".pdf";
    request.content = exchange->file(PAPER);
    exchange->call(&PROXY::AddSimpleInvoice, request, response);
    expect_done(response.AddSimpleInvoiceResult);
    expect(*response.AddSimpleInvoiceResult->sizeBytes == static_cast<int>(PAPER.size()), "its size");
}

static void add_simple_document()
{
    _ns1__AddSimpleDocument request;
    _ns1__AddSimpleDocumentResponse response;
    request.recordNumber = record;
    request.documentType = ns1__DocumentType::PROGRAMME;
    request.title = "Programme " + TEXT;
    request.fileName = "programme.pdf";
    request.content = exchange->file(PAPER);
    exchange->call(&PROXY::AddSimpleDocument, request, response);
    expect_done(response.AddSimpleDocumentResult);
    expect(!response.AddSimpleDocumentResult->documentId->empty(), "a document id");
}

static ns1__RecordResult *get_record_by(Exchange &from, ns1__RecordFormat format)
{
    auto *response = from.make<_ns1__GetRecordResponse>();
    _ns1__GetRecord request;
    request.recordNumber = record;
    request.format = format;
    from.call(&PROXY::GetRecord, request, *response);
    expect_done(response->GetRecordResult);
    return response->GetRecordResult;
}

static void get_record()
{
    auto *index = get_record_by(*exchange, ns1__RecordFormat::INDEX)->recordIndex;
    expect(*index->invoice->payerName == "OPCO " + TEXT, *index->invoice->payerName);
    expect(*index->invoice->amountInclVat == "1148.63", *index->invoice->amountInclVat);
    expect(*index->documents->document.back()->title == "Programme " + TEXT, "the title");

    auto *content = get_record_by(*exchange, ns1__RecordFormat::ZIP)->content;
    std::ofstream(folder + "/record.zip", std::ios::binary)
        .write(reinterpret_cast<const char *>(content->__ptr), content->__size);
}

static void get_record_list()
{
    _ns1__GetRecordList request;
    _ns1__GetRecordListResponse response;
    request.limit = exchange->value(1);
    request.includeExtracted = exchange->value(true);
    exchange->call(&PROXY::GetRecordList, request, response);
    expect_done(response.GetRecordListResult);
    expect(response.GetRecordListResult->records->recordIndex.size() == 1, "one record");
    expect(*response.GetRecordListResult->remaining >= 1, "more to come");

    _ns1__GetRecordListResponse rest;
    request.limit = nullptr;
    request.cursor = response.GetRecordListResult->nextCursor;
    exchange->call(&PROXY::GetRecordList, request, rest);
    expect_done(rest.GetRecordListResult);
    expect(*rest.GetRecordListResult->remaining == 0, "the end");
}

static void acknowledge_records()
{
    _ns1__AcknowledgeRecords request;
    _ns1__AcknowledgeRecordsResponse response;
    request.recordNumbers = exchange->make<ns1__ArrayOfRecordNumber>();
    request.recordNumbers->recordNumber.push_back(record);
    exchange->call(&PROXY::AcknowledgeRecords, request, response);
    auto *result = response.AcknowledgeRecordsResult;
    expect_done(result);
    expect(*result->acknowledged + *result->alreadyExtracted == 1, "one record");
}

/* Files as attachments: MTOM -------------------------------------------------------------------------------- */

static void mtom_sent()
{
    Exchange mtom(user, key);
    soap_set_omode(mtom.context, SOAP_ENC_MTOM);
    std::string pdf = read("invoice.pdf");
    char type[] = "application/pdf";
    _ns1__AddSimpleInvoice request;
    _ns1__AddSimpleInvoiceResponse response;
    request.recordNumber = record;
    request.fileName = "grande.pdf";
    request.content = mtom.file(pdf);
    request.content.type = type;
    mtom.call(&PROXY::AddSimpleInvoice, request, response);
    expect_done(response.AddSimpleInvoiceResult);
    expect(*response.AddSimpleInvoiceResult->sizeBytes == static_cast<int>(pdf.size()), "its size");
}

/* A caller who sends its messages as MTOM has its answers so. */
static void mtom_received()
{
    Exchange mtom(user, key);
    soap_set_omode(mtom.context, SOAP_ENC_MTOM | SOAP_ENC_MIME);
    auto *plain = get_record_by(*exchange, ns1__RecordFormat::ZIP)->content;
    auto *content = get_record_by(mtom, ns1__RecordFormat::ZIP)->content;
    expect(content->id != nullptr, "an attachment");
    expect(std::equal(content->__ptr, content->__ptr + content->__size, plain->__ptr), "the same bytes");
    expect(content->__size == plain->__size, "as many bytes");
}

/* What can go wrong ----------------------------------------------------------------------------------------- */

static void check_with_header(Exchange &plain, const std::string &with_key)
{
    auto *credentials = plain.make<ns1__Credentials>();
    credentials->apiUser = plain.text(user);
    credentials->apiKey = plain.text(with_key);
    plain.proxy.soap_header(credentials);
    _ns1__CheckConnection request;
    _ns1__CheckConnectionResponse response;
    plain.call(&PROXY::CheckConnection, request, response);
    expect_done(response.CheckConnectionResult);
}

/* What the operation refuses is in the result, not in a fault; then nothing of the message was stored. */
static void refusal()
{
    _ns1__GetRecord request;
    _ns1__GetRecordResponse response;
    request.recordNumber = "1999-000001";
    request.format = ns1__RecordFormat::INDEX;
    exchange->call(&PROXY::GetRecord, request, response);
    auto *result = response.GetRecordResult;
    expect(result->returnCode == "500 ERROR", result->returnCode);
    expect(result->errors->error.at(0)->code == ns1__ErrorCode::UNKNOWN_USCORERECORD, result->message);
}

static ns1__ErrorItem *read_fault(Exchange &from, const std::function<void()> &call)
{
    try
    {
        call();
    }
    catch (const std::runtime_error &said)
    {
        auto *fault = from.fault();
        expect(fault != nullptr, std::string("a typed detail, not ") + said.what());
        expect(fault->returnCode == "500 ERROR" && fault->errors, fault->returnCode);
        return fault->errors->error.at(0);
    }
    throw std::runtime_error("no fault");
}

static void credentials_header()
{
    Exchange plain, wrong;
    check_with_header(plain, key);
    auto *error = read_fault(wrong, [&] { check_with_header(wrong, "wrong"); });
    expect(error->code == ns1__ErrorCode::CREDENTIALS_USCOREREFUSED, error->message);
}

static void fault()
{
    Exchange wrong(user, "wrong");
    _ns1__CheckConnection request;
    _ns1__CheckConnectionResponse response;
    auto *error = read_fault(wrong, [&] { wrong.call(&PROXY::CheckConnection, request, response); });
    expect(error->code == ns1__ErrorCode::CREDENTIALS_USCOREREFUSED, error->message);
}

static void schema_error()
{
    auto *student = exchange->make<ns1__Student>();
    student->reference = "IOP-S3";
    student->lastName = std::string(101, 'x');
    student->firstName = u8"é";
    _ns1__SyncStudents request;
    _ns1__SyncStudentsResponse response;
    request.students = exchange->make<ns1__ArrayOfStudent>();
    request.students->student.push_back(student);
    auto *error = read_fault(*exchange, [&] { exchange->call(&PROXY::SyncStudents, request, response); });
    expect(error->code == ns1__ErrorCode::SCHEMA_USCOREINVALID, error->message);
    expect(error->path && *error->path == "/SyncStudents/students/student[1]/lastName", error->path ? *error->path : "no path");
}

static std::string quoted(const std::string &text)
{
    std::string made = "\"";
    for (char each : text.substr(0, 400))
        made += each == '"' || each == '\\' ? std::string("\\") + each : each < ' ' && each >= 0 ? " " : std::string(1, each);
    return made + "\"";
}

int main(int, char **argv)
{
    address = argv[1];
    folder = argv[2];
    user = std::getenv("API_USER");
    key = std::getenv("API_KEY");
    Exchange basic(user, key);
    exchange = &basic;
    const std::pair<const char *, void (*)()> steps[] = {
        {"CheckConnection", check_connection},
        {"SyncContacts", sync_contacts},
        {"SyncClassrooms", sync_classrooms},
        {"SyncTeachers", sync_teachers},
        {"SyncStudents", sync_students},
        {"SyncCourses", sync_courses},
        {"GetSignatureList", get_signature_list},
        {"SendInvoice", send_invoice},
        {"ReviewRecord", review_record},
        {"SendInvoicingInfo", send_invoicing_info},
        {"AddSimpleInvoice", add_simple_invoice},
        {"AddSimpleDocument", add_simple_document},
        {"GetRecord", get_record},
        {"GetRecordList", get_record_list},
        {"AcknowledgeRecords", acknowledge_records},
        {"empty list", empty_list},
        {"credentials header", credentials_header},
        {"refusal", refusal},
        {"fault", fault},
        {"schema error", schema_error},
        {"MTOM sent", mtom_sent},
        {"MTOM received", mtom_received},
    };
    for (const auto &[name, step] : steps)
    {
        try
        {
            step();
            std::cout << "{\"step\": " << quoted(name) << ", \"ok\": true}" << std::endl;
        }
        catch (const std::exception &error)
        {
            std::cout << "{\"step\": " << quoted(name) << ", \"ok\": false, \"reason\": " << quoted(error.what()) << "}"
                      << std::endl;
        }
    }
}
