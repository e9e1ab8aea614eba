/**
 * Every operation of a Paraphe exchange with Node (npm install soap).
 *
 * API_USER=… API_KEY=… node client.js https://exchange.example.org/soap/v1?wsdl FOLDER
 *
 * `?wsdl12` instead of `?wsdl` speaks SOAP 1.2. FOLDER holds invoice.pdf; record.zip is written there.
 */
'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const soap = require('soap');

const [wsdl, folder] = process.argv.slice(2);
const { API_USER: user, API_KEY: key } = process.env;
const NAMESPACE = 'urn:paraphe:exchange:v1';
const TEXT = 'é œ ß 😀';
const PAPER = Buffer.from('%PDF-1.4\n% a small paper\n%%EOF\n');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function connect(options = {}) {
  // The package looks into the WSDL for the SOAP version only when it writes the envelope; say it.
  return soap.createClientAsync(wsdl, { forceSoap12Headers: wsdl.endsWith('12'), ...options });
}

async function connectBasic(withKey, options) {
  const basic = await connect(options);
  basic.setSecurity(new soap.BasicAuthSecurity(user, withKey));
  return basic;
}

function expect(condition, what) {
  if (!condition) throw new Error(`not as expected: ${JSON.stringify(what)?.slice(0, 300)}`);
}

let client;
let record;

/** Call an operation and return its result if all was stored. */
async function call(operation, message = {}) {
  const [answer] = await client[`${operation}Async`](message);
  const result = answer[`${operation}Result`];
  expect(result.returnCode === '200 OK', result);
  return result;
}

/** Return the typed detail of the fault that a call ends with. It stands elsewhere in SOAP 1.2. */
async function readFault(promise) {
  const error = await promise.then(() => expect(false, 'no fault'), (reason) => reason);
  const fault = error.root?.Envelope?.Body?.Fault;
  expect(fault, error.message);
  return (fault.detail ?? fault.Detail).ServiceFault;
}

/** An empty list comes as undefined or null, and a list of one as a list or as its item. */
function list(value) {
  return value == null ? [] : [].concat(value);
}

// Dates and times as text: the package writes a Date as an empty element. Members in the order of the WSDL.
function elements(number) {
  return {
    invoiceNumber: number,
    invoiceDate: '2026-09-21',
    periodStart: '2026-09-01',
    periodEnd: '2026-09-18',
    payerName: `OPCO ${TEXT}`,
    quantity: '51.05',
    unit: 'HOUR',
    amountExclVat: '1148.63',
    vatAmount: '0.00',
    amountInclVat: '1148.63',
    trainees: { trainee: [{ lastName: 'Lefèvre', firstName: 'Anaïs', quantity: '51.05' }] },
  };
}

const steps = {
  async CheckConnection() {
    const result = await call('CheckConnection');
    expect(result.environment === 'SANDBOX' && result.account.includes(TEXT), result);
    expect(list(result.limits.limit).length > 1 && result.serverTime, result);
  },
  async SyncContacts() {
    const contact = { reference: 'IOP-OPCO', type: 'OPCO', organisation: `OPCO ${TEXT}` };
    const result = await call('SyncContacts', { contacts: { contact: [contact] } });
    expect(result.created === 1 && list(result.items.item)[0].action === 'CREATED', result);
  },
  async SyncClassrooms() {
    const room = { reference: 'IOP-ROOM', name: `Salle ${TEXT}`, address: { city: 'Orléans' }, capacity: 16 };
    expect((await call('SyncClassrooms', { classrooms: { classroom: [room] } })).created === 1, 'one room');
  },
  async SyncTeachers() {
    const teacher = { reference: 'IOP-T1', lastName: `Œuvrard ${TEXT}`, firstName: 'Zoë' };
    expect((await call('SyncTeachers', { teachers: { teacher: [teacher] } })).created === 1, 'one teacher');
  },
  async SyncStudents() {
    const full = {
      reference: 'IOP-S1',
      civility: 'MME',
      lastName: `Lefèvre ${TEXT}`,
      firstName: 'Anaïs',
      birthDate: '2001-02-28',
      address: { addressLine1: '1 rue de l\'Œuvre', city: 'Besançon', country: 'FR' },
      financers: { reference: [] },
      groups: { reference: ['IOP-GROUP'] },
      requiredSignature: true,
      data: { data1: 'Straße' },
    };
    const students = { student: [full, { reference: 'IOP-S2', lastName: 'Ba', firstName: 'Ü' }] };
    const tried = await call('SyncStudents', { dryRun: true, students });
    expect(tried.dryRun === true && tried.created === 2, tried);
    // The same messageId again is answered with the first answer again, and stored once.
    for (const again of [false, true]) {
      const result = await call('SyncStudents', { messageId: 'IOP-1', mode: 'UPSERT', students });
      expect(result.created === 2 && result.duplicate === again, result);
    }
  },
  async SyncCourses() {
    const course = {
      reference: 'IOP-C1',
      name: `Bases de données ${TEXT}`,
      start: '2026-09-14T09:00:00+02:00',
      end: '2026-09-14T12:00:00+02:00',
      classroom: 'IOP-ROOM',
      modality: 'ON_SITE',
      teachers: { reference: ['IOP-T1'] },
      groups: { reference: ['IOP-GROUP'] },
    };
    expect((await call('SyncCourses', { courses: { course: [course] } })).created === 1, 'one course');
  },
  async GetSignatureList() {
    const period = { periodStart: '2026-09-01', periodEnd: '2026-09-18' };
    const result = await call('GetSignatureList', { ...period, status: 'PRESENT', includeImages: true, limit: 5 });
    const people = list(result.courses.course).flatMap((course) => list(course.participants.participant));
    const signed = people.filter((each) => each.image);
    expect(signed.length > 0, result);
    for (const each of signed) expect(sha256(Buffer.from(each.image, 'base64')) === each.imageSha256, each);
    const nothing = await call('GetSignatureList', { periodStart: '2020-01-01', periodEnd: '2020-01-02' });
    expect(list(nothing.courses?.course).length === 0, nothing);
  },
  async SendInvoice() {
    const pdf = fs.readFileSync(path.join(folder, 'invoice.pdf'));
    const hints = { payerName: `OPCO ${TEXT}`, amountInclVat: '1148.60' };
    const file = { fileName: `facture ${TEXT}.pdf`, content: pdf.toString('base64'), sha256: sha256(pdf) };
    const result = await call('SendInvoice', { ...file, hints });
    expect(result.status === 'NEEDS_REVIEW' && result.documentId, result);
    record = result.recordNumber;
  },
  async ReviewRecord() {
    const result = await call('ReviewRecord', { recordNumber: record, invoice: elements('IOP-F1') });
    expect(result.recordIndex.status === 'READY', result);
  },
  async SendInvoicingInfo() {
    expect((await call('SendInvoicingInfo', { invoice: elements('IOP-F2') })).status === 'READY', 'a record');
  },
  async AddSimpleInvoice() {
    const paper = { fileName: `avoir ${TEXT}.pdf`, content: PAPER.toString('base64') };
    const result = await call('AddSimpleInvoice', { recordNumber: record, ...paper });
    expect(result.sha256 === sha256(PAPER) && result.sizeBytes === PAPER.length, result);
  },
  async AddSimpleDocument() {
    const about = { documentType: 'PROGRAMME', title: `Programme ${TEXT}`, fileName: 'programme.pdf' };
    const message = { recordNumber: record, ...about, content: PAPER.toString('base64') };
    expect((await call('AddSimpleDocument', message)).documentId, 'a document id');
  },
  async GetRecord() {
    const { recordIndex: index } = await call('GetRecord', { recordNumber: record, format: 'INDEX' });
    expect(index.invoice.payerName === `OPCO ${TEXT}` && Number(index.invoice.amountInclVat) === 1148.63, index);
    expect(list(index.documents.document).at(-1).title === `Programme ${TEXT}`, index);
    const whole = await call('GetRecord', { recordNumber: record, format: 'ZIP' });
    fs.writeFileSync(path.join(folder, 'record.zip'), Buffer.from(whole.content, 'base64'));
  },
  async GetRecordList() {
    const first = await call('GetRecordList', { limit: 1, includeExtracted: true });
    expect(list(first.records.recordIndex).length === 1 && first.remaining >= 1, first);
    const rest = await call('GetRecordList', { cursor: first.nextCursor, includeExtracted: true });
    expect(rest.remaining === 0 && list(rest.records.recordIndex).length >= 1, rest);
  },
  async AcknowledgeRecords() {
    const result = await call('AcknowledgeRecords', { recordNumbers: { recordNumber: [record] } });
    expect(result.acknowledged + result.alreadyExtracted === 1, result);
  },

  /** A list of no items, and no list at all. */
  async 'empty list'() {
    for (const name of ['Contacts', 'Classrooms', 'Teachers', 'Students', 'Courses']) {
      const items = name.toLowerCase();
      expect((await call(`Sync${name}`, { [items]: { [items.slice(0, -1)]: [] } })).received === 0, name);
      expect((await call(`Sync${name}`)).received === 0, name);
    }
    const none = await call('AcknowledgeRecords', { recordNumbers: { recordNumber: [] } });
    expect(none.acknowledged === 0, none);
  },

  /** Credentials in the SOAP header instead of HTTP Basic. */
  async 'credentials header'() {
    const connectHeader = async (apiKey) => {
      const plain = await connect();
      plain.addSoapHeader({ Credentials: { apiUser: user, apiKey } }, '', 'v1', NAMESPACE);
      return plain;
    };
    const [answer] = await (await connectHeader(key)).CheckConnectionAsync({});
    expect(answer.CheckConnectionResult.returnCode === '200 OK', answer);
    const detail = await readFault((await connectHeader('wrong')).CheckConnectionAsync({}));
    expect(list(detail.errors.error)[0].code === 'CREDENTIALS_REFUSED', detail);
  },
  /** WS-Security: the key as a password in plain text, so over TLS only. */
  async UsernameToken() {
    const plain = await connect();
    plain.setSecurity(new soap.WSSecurity(user, key, { passwordType: 'PasswordText' }));
    const [answer] = await plain.CheckConnectionAsync({});
    expect(answer.CheckConnectionResult.returnCode === '200 OK', answer);
  },
  /** What the operation refuses is in the result, not in a fault; then nothing of the message was stored. */
  async refusal() {
    const [{ GetRecordResult: result }] = await client.GetRecordAsync({ recordNumber: '1999-000001', format: 'INDEX' });
    expect(result.returnCode === '500 ERROR' && list(result.errors.error)[0].code === 'UNKNOWN_RECORD', result);
  },
  async fault() {
    const detail = await readFault((await connectBasic('wrong')).CheckConnectionAsync({}));
    expect(detail.returnCode === '500 ERROR' && list(detail.errors.error)[0].code === 'CREDENTIALS_REFUSED', detail);
  },
  async 'schema error'() {
    const student = { reference: 'IOP-S3', lastName: 'x'.repeat(101), firstName: 'é' };
    const detail = await readFault(client.SyncStudentsAsync({ students: { student: [student] } }));
    const [error] = list(detail.errors.error);
    expect(error.code === 'SCHEMA_INVALID' && error.path === '/SyncStudents/students/student[1]/lastName', error);
  },

  /** A file as an attachment: the element holds a reference to it, which the package does not write by itself. */
  async 'MTOM sent'() {
    const mtom = await connectBasic(key);
    const pdf = fs.readFileSync(path.join(folder, 'invoice.pdf'));
    const attachment = { mimetype: 'application/pdf', contentId: 'paper@example.org', name: 'grande.pdf', body: pdf };
    const $xml = `<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:${attachment.contentId}"/>`;
    const message = { recordNumber: record, fileName: 'grande.pdf', content: { $xml }, sha256: sha256(pdf) };
    const [answer] = await mtom.AddSimpleInvoiceAsync(message, { attachments: [attachment] });
    const result = answer.AddSimpleInvoiceResult;
    expect(result.returnCode === '200 OK' && result.sizeBytes === pdf.length, result);
  },
  /** The same the other way: the answer's element refers to one of the attachments. */
  async 'MTOM received'() {
    const mtom = await connectBasic(key, { parseResponseAttachments: true });
    const zip = { recordNumber: record, format: 'ZIP' };
    const plain = await call('GetRecord', zip);
    const accept = { Accept: 'multipart/related' };
    const [answer, , , , attachments] = await mtom.GetRecordAsync(zip, {}, accept);
    const result = answer.GetRecordResult;
    expect(result.returnCode === '200 OK', result);
    const { href } = result.content.Include.attributes;
    const part = attachments.parts.find(({ headers }) => `cid:${headers['content-id'].slice(1, -1)}` === href);
    expect(part.body.toString('base64') === plain.content, 'the same bytes');
  },
};

(async () => {
  client = await connectBasic(key);
  for (const [step, run] of Object.entries(steps)) {
    try {
      await run();
      console.log(JSON.stringify({ step, ok: true }));
    } catch (error) {
      console.log(JSON.stringify({ step, ok: false, reason: String(error.message).slice(0, 400) }));
    }
  }
})();
