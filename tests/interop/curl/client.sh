#!/usr/bin/env bash
# Every operation of a Paraphe exchange with curl: the messages of fixtures/, as they are.
#
#   API_USER=… API_KEY=… ./client.sh https://exchange.example.org/soap/v1?wsdl FOLDER
#
# `?wsdl12` instead of `?wsdl` speaks SOAP 1.2: another envelope namespace and another Content-Type.
# FOLDER holds invoice.pdf; record.zip is written there.
set -uo pipefail
address=${1%%\?*}
folder=$2
fixtures=$(cd "$(dirname "$0")/../../../fixtures" && pwd)
record=''

case $1 in
*wsdl12) envelope=http://www.w3.org/2003/05/soap-envelope type='application/soap+xml; charset=utf-8' ;;
*) envelope=http://schemas.xmlsoap.org/soap/envelope/ type='text/xml; charset=utf-8' ;;
esac

# Post the message on standard input; what else is given goes to curl. The answer is in $answer, its status in $status.
post() {
    sed -e "s|http://schemas.xmlsoap.org/soap/envelope/|$envelope|" -e "s|2026-000001|${record:-2026-000001}|" > "$folder/request.xml"
    # --data-binary, as --data drops the line ends. The user and the key stay out of the list of processes.
    status=$(printf 'user = "%s:%s"\n' "$API_USER" "${KEY-$API_KEY}" |
        curl --silent --show-error --config - --header "Content-Type: $type" --data-binary "@$folder/request.xml" \
            --output "$folder/answer.xml" --write-out '%{http_code}' "$@" "$address")
}

# The text of the first element of this name in the answer.
value() {
    grep -oE "<([a-zA-Z0-9]+:)?$1>[^<]*" "$folder/answer.xml" | head -1 | sed 's/^[^>]*>//'
}

# Post a file of fixtures/; for SOAP 1.1, soapAction is the namespace, a colon and the operation.
fixture() {
    post --header "SOAPAction: \"urn:paraphe:exchange:v1:${1%%/*}\"" < "$fixtures/$1.xml"
}

# Post an operation written here, without its envelope.
message() {
    post < <(printf '<e:Envelope xmlns:e="%s"><e:Body>%s</e:Body></e:Envelope>' "$envelope" "$(cat)")
}

done_() { [ "$(value returnCode)" = '200 OK' ] && [ "$status" = 200 ]; }

# Repositories -----------------------------------------------------------------------------------------------------

CheckConnection() { fixture CheckConnection/request && done_ && [ "$(value environment)" = SANDBOX ] && value account | grep -q '😀'; }
SyncContacts() { fixture SyncContacts/request && done_; }
SyncClassrooms() { fixture SyncClassrooms/request && done_; }
SyncTeachers() {
    fixture SyncTeachers/request && done_
}
SyncStudents() {
    fixture SyncStudents/request && done_ || return
    message <<'XML' && done_ && [ "$(value created)" = 1 ]
<SyncStudents xmlns="urn:paraphe:exchange:v1">
  <students>
    <student>
      <reference>IOP-S1</reference>
      <lastName>Lefèvre é œ ß 😀</lastName>
      <firstName>Anaïs</firstName>
      <groups><reference>IOP-GROUP</reference></groups>
    </student>
  </students>
</SyncStudents>
XML
}
SyncCourses() { fixture SyncCourses/request && done_; }
# A list of no items, and no list at all.
empty_list() {
    for name in Contacts Classrooms Teachers Students Courses; do
        for list in "<${name,,}/>" ''; do
            message <<< "<Sync$name xmlns='urn:paraphe:exchange:v1'>$list</Sync$name>" && done_ || return
            [ "$(value received)" = 0 ] || return
        done
    done
    message <<< '<AcknowledgeRecords xmlns="urn:paraphe:exchange:v1"><recordNumbers/></AcknowledgeRecords>' && done_
}
GetSignatureList() { fixture GetSignatureList/with-images && done_ && [ -n "$(value image)" ]; }

# Invoices and their records ---------------------------------------------------------------------------------------

SendInvoice() {
    # One shell line makes a message of a file; base64 may have line breaks.
    { printf '<SendInvoice xmlns="urn:paraphe:exchange:v1"><fileName>invoice é 😀.pdf</fileName><content>'
      base64 "$folder/invoice.pdf"
      printf '</content></SendInvoice>'; } | { 
        printf '<e:Envelope xmlns:e="%s"><e:Body>' "$envelope"; cat; printf '</e:Body></e:Envelope>'; } > "$folder/invoice.xml"
    post < "$folder/invoice.xml" && done_ && record=$(value recordNumber) && [ -n "$record" ]
}
ReviewRecord() { fixture ReviewRecord/request && done_ && [ "$(value status)" = READY ]; }
SendInvoicingInfo() { fixture SendInvoicingInfo/request && done_; }
AddSimpleInvoice() { fixture AddSimpleInvoice/request && done_ && [ -n "$(value documentId)" ]; }
AddSimpleDocument() { fixture AddSimpleDocument/request && done_ && [ -n "$(value documentId)" ]; }
GetRecord() {
    fixture GetRecord/index && done_ && grep -q 'invoice é 😀.pdf' "$folder/answer.xml" || return
    fixture GetRecord/zip && done_ && value content | base64 -d > "$folder/record.zip"
}
GetRecordList() { fixture GetRecordList/request && done_ && [ -n "$(value remaining)" ]; }
AcknowledgeRecords() { fixture AcknowledgeRecords/request && done_; }

# What can go wrong ------------------------------------------------------------------------------------------------

# Ask with what stands on standard input in the SOAP header instead of HTTP Basic.
check_with_header() {
    status=$(curl --silent --header "Content-Type: $type" --data-binary @- --output "$folder/answer.xml" \
        --write-out '%{http_code}' "$address" <<XML
<e:Envelope xmlns:e="$envelope" xmlns="urn:paraphe:exchange:v1">
  <e:Header>$(cat)</e:Header>
  <e:Body><CheckConnection/></e:Body>
</e:Envelope>
XML
    )
}
credentials_header() {
    check_with_header <<< "<Credentials><apiUser>$API_USER</apiUser><apiKey>$API_KEY</apiKey></Credentials>" && done_ || return
    check_with_header <<< "<Credentials><apiUser>$API_USER</apiUser><apiKey>wrong</apiKey></Credentials>"
    [ "$(value returnCode) $(value code)" = '500 ERROR CREDENTIALS_REFUSED' ]
}
# WS-Security: the key as a password in plain text, so over TLS only.
UsernameToken() {
    check_with_header <<XML && done_
<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" e:mustUnderstand="1">
  <w:UsernameToken><w:Username>$API_USER</w:Username><w:Password>$API_KEY</w:Password></w:UsernameToken>
</w:Security>
XML
}
# What the operation refuses is in the result, with status 200; then nothing of the message was stored.
refusal() {
    fixture GetRecord/unknown-record && [ "$status $(value returnCode) $(value code)" = '200 500 ERROR UNKNOWN_RECORD' ]
}
# A fault has a detail with the same members as a result.
fault() {
    KEY=wrong fixture CheckConnection/request && [ "$(value returnCode) $(value code)" = '500 ERROR CREDENTIALS_REFUSED' ]
}
schema_error() {
    fixture SyncStudents/invalid && [ "$(value code)" = SCHEMA_INVALID ] &&
        [[ $(value path) == /SyncStudents/students/student\[*\]/* ]]
}

for step in CheckConnection SyncContacts SyncClassrooms SyncTeachers SyncStudents SyncCourses GetSignatureList SendInvoice \
    ReviewRecord SendInvoicingInfo AddSimpleInvoice AddSimpleDocument GetRecord GetRecordList AcknowledgeRecords \
    empty_list credentials_header UsernameToken refusal fault schema_error; do
    if $step; then
        printf '{"step": "%s", "ok": true}\n' "${step/_/ }"
    else
        reason="HTTP $status: $(value returnCode) $(value faultstring) $(value message)"
        printf '{"step": "%s", "ok": false, "reason": "%s"}\n' "${step/_/ }" "$(tr -d '"\\' <<< "$reason" | tr '\n' ' ')"
    fi
done
