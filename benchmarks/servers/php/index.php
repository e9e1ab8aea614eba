<?php
// Four operations of the contract with SoapServer. SoapServer validates nothing, so the XSD is asked before.
declare(strict_types=1);

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const NESTED = ['address', 'financers', 'groups', 'data'];
const STUDENT = [
    'reference', 'civility', 'lastName', 'firstName', 'birthDate', 'email', 'mobilePhone', 'phone', 'address', 'start',
    'end', 'employer', 'financers', 'groups', 'training', 'degree', 'opcaNumber', 'regionNumber', 'unemployedNumber',
    'fileNumber', 'cfaNumber', 'requiredSignature', 'data',
];
const INVOICE = [
    'invoiceNumber', 'invoiceDate', 'periodStart', 'periodEnd', 'payerReference', 'payerName', 'contractNumber',
    'fileNumber', 'sellerSiret', 'quantity', 'unit', 'amountExclVat', 'vatAmount', 'amountInclVat',
];
const OTHERS = ['recordNumber', 'status', 'version', 'createdOn', 'modifiedOn', 'documentCount', 'sizeBytes', 'pdfUrl',
    'zipUrl', 'urlsExpireOn'];

final class Exchange
{
    public function __construct(private PDO $database, private string $folder)
    {
    }

    public function CheckConnection(object $message): array
    {
        return ['CheckConnectionResult' => $this->success('You are connected.') + [
            'account' => 'Centre Horizon', 'environment' => 'SANDBOX', 'serverTime' => gmdate('Y-m-d\TH:i:s\Z'),
            'productVersion' => '1', 'timeZone' => 'Europe/Paris',
        ]];
    }

    public function SyncStudents(object $message): array
    {
        $students = $message->students->student ?? [];
        $upsert = $this->database->prepare($this->upsert());
        $this->database->exec('BEGIN IMMEDIATE');
        try {
            $before = $this->lastId();
            $written = 0;
            foreach ($students as $student) {
                $row = [];
                foreach (STUDENT as $name) {
                    $value = $student->$name ?? null;
                    $row[] = $value !== null && in_array($name, NESTED, true)
                        ? json_encode($value, JSON_UNESCAPED_UNICODE) : $value;
                }
                $upsert->execute($row);
                $written += $upsert->rowCount();
            }
            $created = $this->lastId() - $before;
            $this->database->exec('COMMIT');
        } catch (Throwable $failure) {
            $this->database->exec('ROLLBACK');
            throw $failure;
        }
        $received = count($students);
        return ['SyncStudentsResult' => $this->success("$received items received.") + [
            'received' => $received, 'created' => $created, 'updated' => $written - $created,
            'unchanged' => $received - $written,
        ]];
    }

    public function GetRecordList(object $message): array
    {
        $limit = $message->limit ?? 1000;
        $trainees = [];
        $found = $this->database->prepare('SELECT * FROM trainee ORDER BY record LIMIT ?');
        $found->execute([$limit]);
        foreach ($found->fetchAll(PDO::FETCH_ASSOC) as $row) {
            $trainees[$row['record']][] = array_filter($row, fn($value) => $value !== null);
        }
        $records = [];
        $found = $this->database->prepare('SELECT * FROM record ORDER BY id LIMIT ?');
        $found->execute([$limit]);
        foreach ($found->fetchAll(PDO::FETCH_ASSOC) as $row) {
            $record = $invoice = [];
            foreach (OTHERS as $name) {
                $record[$name] = $row[$name];
            }
            foreach (INVOICE as $name) {
                if ($row[$name] !== null) {
                    $invoice[$name] = $row[$name];
                }
            }
            $invoice['trainees'] = ['trainee' => $trainees[$row['id']] ?? []];
            $record['invoice'] = $invoice;
            $records[] = $record;
        }
        return ['GetRecordListResult' => $this->success(count($records) . ' records.') + [
            'records' => ['recordIndex' => $records], 'remaining' => 0,
        ]];
    }

    public function SendInvoice(object $message): array
    {
        $name = bin2hex(random_bytes(16));
        $path = "{$this->folder}/store/$name";
        $file = fopen("$path.part", 'wb');
        $length = strlen($message->content);
        if (fwrite($file, $message->content) !== $length || !fsync($file) || !fclose($file) || !rename("$path.part", $path)) {
            throw new RuntimeException('The file could not be stored.');
        }
        $insert = $this->database->prepare('INSERT INTO document (fileName, file, sizeBytes) VALUES (?, ?, ?)');
        $insert->execute([$message->fileName, $name, $length]);
        return ['SendInvoiceResult' => $this->success('A record is opened.') + [
            'recordNumber' => sprintf('2026-%06d', $this->database->lastInsertId()), 'status' => 'NEEDS_REVIEW',
        ]];
    }

    private function success(string $message): array
    {
        return ['returnCode' => '200 OK', 'message' => $message, 'requestId' => bin2hex(random_bytes(16)), 'duplicate' => false];
    }

    private function lastId(): int
    {
        return $this->database->query('SELECT coalesce(max(id), 0) FROM student')->fetchColumn();
    }

    private function upsert(): string
    {
        $quoted = array_map(fn($name) => "\"$name\"", STUDENT);
        $columns = implode(', ', $quoted);
        $places = implode(', ', array_fill(0, count(STUDENT), '?'));
        $set = implode(', ', array_map(fn($name) => "$name = excluded.$name", $quoted));
        $differs = implode(' OR ', array_map(fn($name) => "$name IS NOT excluded.$name", $quoted));
        return "INSERT INTO student ($columns) VALUES ($places) ON CONFLICT (reference) DO UPDATE SET $set WHERE $differs";
    }
}

function refuse(string $why): never
{
    http_response_code(500);
    header('Content-Type: text/xml; charset=utf-8');
    $said = htmlspecialchars($why, ENT_XML1);
    echo '<s:Envelope xmlns:s="' . ENVELOPE . "\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>$said</faultstring></s:Fault></s:Body></s:Envelope>";
    exit;
}

$folder = $_SERVER['EXCHANGE_FOLDER'];
$request = file_get_contents('php://input');

libxml_use_internal_errors(true);
$document = new DOMDocument();
if (!$document->loadXML($request, LIBXML_NONET | LIBXML_PARSEHUGE)) {
    refuse('This is not XML.');
}
$payload = $document->getElementsByTagNameNS(ENVELOPE, 'Body')->item(0)?->firstElementChild;
if ($payload === null) {
    refuse('There is no message.');
}
$document->replaceChild($payload, $document->documentElement);
if (!$document->schemaValidate("$folder/v1.xsd")) {
    refuse(libxml_get_last_error()->message);
}
unset($document, $payload);

$database = new PDO("sqlite:$folder/data.sqlite", null, null, [
    PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 30,
]);
$database->exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
$server = new SoapServer("$folder/v1.wsdl", ['cache_wsdl' => WSDL_CACHE_BOTH, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setObject(new Exchange($database, $folder));
$server->handle($request);
