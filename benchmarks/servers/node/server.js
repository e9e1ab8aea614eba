// Four operations of the contract with the npm packages soap and better-sqlite3. soap validates nothing.
//
//   node server.js FOLDER        prints its address
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs/promises');
const http = require('node:http');
const path = require('node:path');
const Database = require('better-sqlite3');
const soap = require('soap');

const STUDENT = ['reference', 'civility', 'lastName', 'firstName', 'birthDate', 'email', 'mobilePhone', 'phone',
  'address', 'start', 'end', 'employer', 'financers', 'groups', 'training', 'degree', 'opcaNumber', 'regionNumber',
  'unemployedNumber', 'fileNumber', 'cfaNumber', 'requiredSignature', 'data'];
const INVOICE = ['invoiceNumber', 'invoiceDate', 'periodStart', 'periodEnd', 'payerReference', 'payerName',
  'contractNumber', 'fileNumber', 'sellerSiret', 'quantity', 'unit', 'amountExclVat', 'vatAmount', 'amountInclVat'];
const TRAINEE = ['reference', 'lastName', 'firstName', 'quantity', 'unit', 'contractNumber', 'fileNumber',
  'amountExclVat'];
const HEAD = ['recordNumber', 'status', 'version', 'createdOn', 'modifiedOn'];
const TAIL = ['documentCount', 'sizeBytes', 'pdfUrl', 'zipUrl', 'urlsExpireOn'];

const folder = process.argv[2];
const database = new Database(path.join(folder, 'data.sqlite'));
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
const quoted = STUDENT.map((name) => `"${name}"`);
const upsert = database.prepare(
  `INSERT INTO student (${quoted.join(', ')}) VALUES (${quoted.map(() => '?').join(', ')})
   ON CONFLICT (reference) DO UPDATE SET ${quoted.map((name) => `${name} = excluded.${name}`).join(', ')}
   WHERE ${quoted.map((name) => `${name} IS NOT excluded.${name}`).join(' OR ')}`);
const lastId = database.prepare('SELECT coalesce(max(id), 0) FROM student').pluck();
const listed = database.prepare('SELECT * FROM record ORDER BY id LIMIT ?');
const trainees = database.prepare('SELECT * FROM trainee ORDER BY record LIMIT ?');
const filed = database.prepare('INSERT INTO document (fileName, file, sizeBytes) VALUES (?, ?, ?)');

function column(value) {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString().slice(0, 10); // soap makes dates of xs:date
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

const synchronise = database.transaction((students) => {
  const before = lastId.get();
  let written = 0;
  for (const student of students) written += upsert.run(STUDENT.map((name) => column(student[name]))).changes;
  return { written, created: lastId.get() - before };
});

function present(row, names) {
  const said = {};
  for (const name of names) if (row[name] !== null) said[name] = row[name];
  return said;
}

function success(message) {
  return { returnCode: '200 OK', message, requestId: crypto.randomUUID(), duplicate: false };
}

const operations = {
  CheckConnection() {
    return { CheckConnectionResult: { ...success('You are connected.'), account: 'Centre Horizon',
      environment: 'SANDBOX', serverTime: new Date().toISOString(), productVersion: '1', timeZone: 'Europe/Paris' } };
  },
  SyncStudents(message) {
    const students = [].concat(message.students?.student ?? []);
    const { written, created } = synchronise.immediate(students);
    return { SyncStudentsResult: { ...success(`${students.length} items received.`), received: students.length,
      created, updated: written - created, unchanged: students.length - written } };
  },
  GetRecordList(message) {
    const limit = Number(message.limit ?? 1000);
    const people = new Map();
    for (const row of trainees.all(limit)) {
      const known = people.get(row.record);
      if (known) known.push(present(row, TRAINEE)); else people.set(row.record, [present(row, TRAINEE)]);
    }
    const records = listed.all(limit).map((row) => ({
      ...present(row, HEAD),
      invoice: { ...present(row, INVOICE), trainees: { trainee: people.get(row.id) ?? [] } },
      ...present(row, TAIL),
    }));
    return { GetRecordListResult: { ...success(`${records.length} records.`), records: { recordIndex: records },
      remaining: 0 } };
  },
  async SendInvoice(message) {
    const content = Buffer.from(message.content, 'base64');
    const name = crypto.randomUUID();
    const place = path.join(folder, 'store', name);
    const file = await fs.open(`${place}.part`, 'wx');
    await file.writeFile(content);
    await file.sync();
    await file.close();
    await fs.rename(`${place}.part`, place);
    const number = filed.run(message.fileName, name, content.length).lastInsertRowid;
    return { SendInvoiceResult: { ...success('A record is opened.'),
      recordNumber: `2026-${String(number).padStart(6, '0')}`, status: 'NEEDS_REVIEW' } };
  },
};

async function serve() {
  const server = http.createServer((request, response) => response.writeHead(404).end());
  server.requestTimeout = 0;
  soap.listen(server, {
    path: '/soap/v1',
    services: { ParapheExchange: { ExchangeSoap11: operations } },
    xml: await fs.readFile(path.join(folder, 'v1.wsdl'), 'utf8'),
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}

serve();
