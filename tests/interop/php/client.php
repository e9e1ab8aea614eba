<?php
/**
 * Every operation of a Paraphe exchange with PHP's SoapClient (Debian: php-cli php-soap).
 *
 * API_USER=… API_KEY=… php client.php https://exchange.example.org/soap/v1?wsdl FOLDER
 *
 * `?wsdl12` instead of `?wsdl` speaks SOAP 1.2. FOLDER holds invoice.pdf; record.zip is written there.
 */

declare(strict_types=1);

[, $wsdl, $folder] = $argv;
$user = getenv('API_USER');
$key = getenv('API_KEY');
const TEXT = 'é œ ß 😀';
const PAPER = "%PDF-1.4\n% a small paper\n%%EOF\n";

function connect(string $wsdl, array $options = []): SoapClient
{
    return new SoapClient($wsdl, $options + [
        // Without it the default is 1.1, also with the WSDL of 1.2.
        'soap_version' => str_ends_with($wsdl, '12') ? SOAP_1_2 : SOAP_1_1,
        // Without it a list of one item comes as the item, and a list of none as nothing.
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        // PHP keeps WSDLs for a day; switch it off only while you try things out.
        'cache_wsdl' => WSDL_CACHE_NONE,
        'encoding' => 'UTF-8',
    ]);
}

function expect(bool $condition, mixed $what = ''): void
{
    if (!$condition) {
        throw new RuntimeException('not as expected: ' . substr(json_encode($what, JSON_PARTIAL_OUTPUT_ON_ERROR), 0, 300));
    }
}

/** Call an operation and return its result if all was stored. */
function call(string $operation, array $message = []): object
{
    global $client;
    $result = $client->$operation($message)->{$operation . 'Result'};
    expect($result->returnCode === '200 OK', $result);
    return $result;
}

/**
 * Return the detail of the fault that a call ends with, its errors as an array.
 *
 * PHP does not look into the WSDL for a detail: all its values are text, and a single error comes without an array.
 */
function read_fault(callable $call): object
{
    try {
        $call();
    } catch (SoapFault $fault) {
        expect(isset($fault->detail->ServiceFault), $fault->getMessage());
        $detail = $fault->detail->ServiceFault;
        $errors = $detail->errors->error ?? [];
        $detail->errors = is_array($errors) ? $errors : [$errors];
        return $detail;
    }
    throw new RuntimeException('no fault');
}

function elements(string $number): array
{
    return [
        'invoiceNumber' => $number,
        'invoiceDate' => '2026-09-21',
        'periodStart' => '2026-09-01',
        'periodEnd' => '2026-09-18',
        'payerName' => 'OPCO ' . TEXT,
        // Amounts as text: a float may be written as 1.14863E+3.
        'quantity' => '51.05',
        'unit' => 'HOUR',
        'amountExclVat' => '1148.63',
        'vatAmount' => '0.00',
        'amountInclVat' => '1148.63',
        'trainees' => ['trainee' => [['lastName' => 'Lefèvre', 'firstName' => 'Anaïs', 'quantity' => '51.05']]],
    ];
}

$client = connect($wsdl, ['login' => $user, 'password' => $key]);
$record = '';

// What is left out of an array stays out of the message; never put null or '' into an optional field.
$steps = [
    'CheckConnection' => function () {
        $result = call('CheckConnection');
        expect($result->environment === 'SANDBOX' && str_contains($result->account, TEXT), $result);
        expect(is_array($result->limits->limit) && str_ends_with($result->serverTime, 'Z'), $result);
    },
    'SyncContacts' => function () {
        $contact = ['reference' => 'IOP-OPCO', 'type' => 'OPCO', 'organisation' => 'OPCO ' . TEXT];
        $result = call('SyncContacts', ['contacts' => ['contact' => [$contact]]]);
        expect($result->created === 1 && $result->items->item[0]->action === 'CREATED', $result);
    },
    'SyncClassrooms' => function () {
        $room = ['reference' => 'IOP-ROOM', 'name' => 'Salle ' . TEXT, 'address' => ['city' => 'Orléans'], 'capacity' => 16];
        expect(call('SyncClassrooms', ['classrooms' => ['classroom' => [$room]]])->created === 1);
    },
    'SyncTeachers' => function () {
        $teacher = ['reference' => 'IOP-T1', 'lastName' => 'Œuvrard ' . TEXT, 'firstName' => 'Zoë'];
        expect(call('SyncTeachers', ['teachers' => ['teacher' => [$teacher]]])->created === 1);
    },
    'SyncStudents' => function () {
        $full = [
            'reference' => 'IOP-S1',
            'civility' => 'MME',
            'lastName' => 'Lefèvre ' . TEXT,
            'firstName' => 'Anaïs',
            'birthDate' => '2001-02-28',
            'address' => ['addressLine1' => '1 rue de l\'Œuvre', 'city' => 'Besançon', 'country' => 'FR'],
            'financers' => ['reference' => []],
            'groups' => ['reference' => ['IOP-GROUP']],
            'requiredSignature' => true,
            'data' => ['data1' => 'Straße'],
        ];
        $students = ['student' => [$full, ['reference' => 'IOP-S2', 'lastName' => 'Ba', 'firstName' => 'Ü']]];
        $result = call('SyncStudents', ['dryRun' => true, 'students' => $students]);
        expect($result->dryRun === true && $result->created === 2, $result);
        // The same messageId again is answered with the first answer again, and stored once.
        foreach ([false, true] as $again) {
            $result = call('SyncStudents', ['messageId' => 'IOP-1', 'mode' => 'UPSERT', 'students' => $students]);
            expect($result->created === 2 && $result->duplicate === $again, $result);
        }
    },
    'SyncCourses' => function () {
        $course = [
            'reference' => 'IOP-C1',
            'name' => 'Bases de données ' . TEXT,
            'start' => '2026-09-14T09:00:00+02:00',
            'end' => '2026-09-14T12:00:00+02:00',
            'classroom' => 'IOP-ROOM',
            'modality' => 'ON_SITE',
            'teachers' => ['reference' => ['IOP-T1']],
            'groups' => ['reference' => ['IOP-GROUP']],
        ];
        expect(call('SyncCourses', ['courses' => ['course' => [$course]]])->created === 1);
    },
    'GetSignatureList' => function () {
        $period = ['periodStart' => '2026-09-01', 'periodEnd' => '2026-09-18'];
        $result = call('GetSignatureList', $period + ['status' => 'PRESENT', 'includeImages' => true, 'limit' => 5]);
        $signed = 0;
        foreach ($result->courses->course as $course) {
            foreach ($course->participants->participant as $participant) {
                if (isset($participant->image)) {
                    expect(hash('sha256', $participant->image) === $participant->imageSha256, 'an image as it was signed');
                    $signed++;
                }
            }
        }
        expect($signed > 0, 'signatures');
        $nothing = call('GetSignatureList', ['periodStart' => '2020-01-01', 'periodEnd' => '2020-01-02']);
        expect(count($nothing->courses->course ?? []) === 0, $nothing);
    },
    'SendInvoice' => function () use ($folder, &$record) {
        $pdf = file_get_contents("$folder/invoice.pdf");
        // PHP writes the base64 itself.
        $message = ['fileName' => 'facture ' . TEXT . '.pdf', 'content' => $pdf, 'sha256' => hash('sha256', $pdf)];
        $result = call('SendInvoice', $message + ['hints' => ['payerName' => 'OPCO ' . TEXT, 'amountInclVat' => '1148.60']]);
        expect($result->status === 'NEEDS_REVIEW' && $result->documentId !== '', $result);
        $record = $result->recordNumber;
    },
    'ReviewRecord' => function () use (&$record) {
        $result = call('ReviewRecord', ['recordNumber' => $record, 'invoice' => elements('IOP-F1')]);
        expect($result->recordIndex->status === 'READY', $result);
    },
    'SendInvoicingInfo' => function () {
        expect(call('SendInvoicingInfo', ['invoice' => elements('IOP-F2')])->status === 'READY');
    },
    'AddSimpleInvoice' => function () use (&$record) {
        $paper = ['fileName' => 'avoir ' . TEXT . '.pdf', 'content' => PAPER];
        $result = call('AddSimpleInvoice', ['recordNumber' => $record] + $paper);
        expect($result->sha256 === hash('sha256', PAPER) && $result->sizeBytes === strlen(PAPER), $result);
    },
    'AddSimpleDocument' => function () use (&$record) {
        $paper = ['documentType' => 'PROGRAMME', 'title' => 'Programme ' . TEXT, 'fileName' => 'programme.pdf', 'content' => PAPER];
        expect(call('AddSimpleDocument', ['recordNumber' => $record] + $paper)->documentId !== '');
    },
    'GetRecord' => function () use ($folder, &$record) {
        $index = call('GetRecord', ['recordNumber' => $record, 'format' => 'INDEX'])->recordIndex;
        expect($index->invoice->payerName === 'OPCO ' . TEXT && $index->invoice->amountInclVat === '1148.63', $index);
        expect(end($index->documents->document)->title === 'Programme ' . TEXT, $index);
        file_put_contents("$folder/record.zip", call('GetRecord', ['recordNumber' => $record, 'format' => 'ZIP'])->content);
    },
    'GetRecordList' => function () {
        $result = call('GetRecordList', ['limit' => 1, 'includeExtracted' => true]);
        expect(count($result->records->recordIndex) === 1 && $result->remaining >= 1, $result);
        $rest = call('GetRecordList', ['cursor' => $result->nextCursor, 'includeExtracted' => true]);
        expect($rest->remaining === 0 && count($rest->records->recordIndex) >= 1, $rest);
    },
    'AcknowledgeRecords' => function () use (&$record) {
        $result = call('AcknowledgeRecords', ['recordNumbers' => ['recordNumber' => [$record]]]);
        expect($result->acknowledged + $result->alreadyExtracted === 1, $result);
    },

    // A list of no items, and no list at all.
    'empty list' => function () {
        foreach (['Contacts', 'Classrooms', 'Teachers', 'Students', 'Courses'] as $name) {
            $items = strtolower($name);
            expect(call("Sync$name", [$items => [rtrim($items, 's') => []]])->received === 0, $name);
            expect(call("Sync$name")->received === 0, $name);
        }
        expect(call('AcknowledgeRecords', ['recordNumbers' => ['recordNumber' => []]])->acknowledged === 0, 'an empty list');
    },

    // Credentials in the SOAP header instead of HTTP Basic.
    'credentials header' => function () use ($wsdl, $user, $key) {
        $connect = function ($key) use ($wsdl, $user) {
            $plain = connect($wsdl);
            $credentials = ['apiUser' => $user, 'apiKey' => $key];
            $plain->__setSoapHeaders(new SoapHeader('urn:paraphe:exchange:v1', 'Credentials', $credentials));
            return $plain;
        };
        $result = $connect($key)->CheckConnection()->CheckConnectionResult;
        expect($result->returnCode === '200 OK', $result);
        $detail = read_fault(fn () => $connect('wrong')->CheckConnection());
        expect($detail->errors[0]->code === 'CREDENTIALS_REFUSED', $detail);
    },
    // WS-Security: the key as a password in plain text, so over TLS only. PHP has nothing for it; this is all it takes.
    'UsernameToken' => function () use ($wsdl, $user, $key) {
        $wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
        $text = fn ($name, $value) => new SoapVar($value, XSD_STRING, null, null, $name, $wsse);
        $both = [$text('Username', $user), $text('Password', $key)];
        $token = new SoapVar($both, SOAP_ENC_OBJECT, null, null, 'UsernameToken', $wsse);
        $plain = connect($wsdl);
        $plain->__setSoapHeaders(new SoapHeader($wsse, 'Security', new SoapVar([$token], SOAP_ENC_OBJECT), true));
        $result = $plain->CheckConnection()->CheckConnectionResult;
        expect($result->returnCode === '200 OK', $result);
    },
    // What the operation refuses is in the result, not in a fault; then nothing of the message was stored.
    'refusal' => function () use ($client) {
        $result = $client->GetRecord(['recordNumber' => '1999-000001', 'format' => 'INDEX'])->GetRecordResult;
        expect($result->returnCode === '500 ERROR' && $result->errors->error[0]->code === 'UNKNOWN_RECORD', $result);
    },
    'fault' => function () use ($wsdl, $user) {
        $detail = read_fault(fn () => connect($wsdl, ['login' => $user, 'password' => 'wrong'])->CheckConnection());
        expect($detail->returnCode === '500 ERROR' && $detail->errors[0]->code === 'CREDENTIALS_REFUSED', $detail);
    },
    'schema error' => function () {
        $student = ['reference' => 'IOP-S3', 'lastName' => str_repeat('x', 101), 'firstName' => 'é'];
        $error = read_fault(fn () => call('SyncStudents', ['students' => ['student' => [$student]]]))->errors[0];
        expect($error->code === 'SCHEMA_INVALID', $error);
        expect($error->path === '/SyncStudents/students/student[1]/lastName', $error);
    },
];

foreach ($steps as $name => $step) {
    try {
        $step();
        $line = ['step' => $name, 'ok' => true];
    } catch (Throwable $error) {
        $line = ['step' => $name, 'ok' => false, 'reason' => get_class($error) . ': ' . substr($error->getMessage(), 0, 400)];
    }
    echo json_encode($line, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
