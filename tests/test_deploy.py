"""deploy/: what an operator copies is accepted by the programs it is for, and fits the defaults of the server."""

import configparser
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from paraphe import cli, settings
from paraphe.errors import Code
from paraphe.faces import health, links
from paraphe.metrics import Metrics
from paraphe.serve import LAST_ORDERS, PATIENCE, Server, running
from paraphe.serve.parent import GOING
from paraphe.store.later import LAST_ROWS
from paraphe.work.workers import LAST_ORDERS as LAST_JOBS

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
NGINX = (DEPLOY / "nginx" / "paraphe.conf").read_text(encoding="utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
TIMERS = sorted((DEPLOY / "systemd").glob("*.timer"))
NAME = "exchange.example.org"
DEFAULTS = settings.read()


def program(name):
    """The path of a program that not every machine has."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def lines(unit):
    """The lines of a unit, as (name, value)."""
    found = (line.partition("=") for line in unit.read_text().splitlines() if line and line[0] not in "#[")
    return [(name, value) for name, _, value in found]


# systemd ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path):
    """The units, with a program in them that is there."""
    for unit in (*SERVICES, *TIMERS):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/paraphe/bin/paraphe", "/bin/true"))
    return [str(tmp_path / unit.name) for unit in (*SERVICES, *TIMERS)]


def test_systemd_takes_the_units(units):
    done = subprocess.run([program("systemd-analyze"), "verify", *units], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", range(len(SERVICES)), ids=[unit.name for unit in SERVICES])
def test_the_services_may_do_little(units, number):
    command = [program("systemd-analyze"), "security", "--offline=true", "--threshold=15", units[number]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_services_may_do_the_same():
    def fence(unit):
        found = [f"{name}={value}" for name, value in lines(unit)]
        return found[found.index("NoNewPrivileges=yes") : found.index("SystemCallErrorNumber=EPERM") + 1]

    assert len({tuple(fence(unit)) for unit in SERVICES}) == 1
    assert len(fence(SERVICES[0])) > 20


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_service_runs_a_command_that_there_is(unit):
    command = dict(lines(unit))["ExecStart"].split()
    assert command[0] == "/opt/paraphe/bin/paraphe"
    cli._parser().parse_args(command[1:])


def test_systemd_waits_until_the_server_has_finished():
    assert GOING > LAST_ORDERS + LAST_JOBS + LAST_ROWS
    assert int(dict(lines(DEPLOY / "systemd" / "paraphe.service"))["TimeoutStopSec"]) > GOING


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.name)
def test_each_timer_has_its_service(timer):
    assert timer.with_suffix(".service") in SERVICES


# The settings ----------------------------------------------------------------------------------------------------


def test_the_example_of_settings_is_taken_whole():
    read = settings.read({"config": str(DEPLOY / "paraphe.ini")})
    assert read.public_url == f"https://{NAME}"
    assert str(read.metrics_listen).startswith("127.0.0.1:")


def test_what_is_commented_out_in_it_would_be_taken_as_well(tmp_path):
    whole = (DEPLOY / "paraphe.ini").read_text()
    for name, value in re.findall(r"^#([a-z_]+) = (.*)$", whole, re.MULTILINE):
        file = tmp_path / f"{name}.ini"
        file.write_text(f"[paraphe]\n{name} = {value}\n")
        settings.read({"config": str(file)})


def test_nginx_brings_requests_to_where_the_server_listens():
    read = settings.read({"config": str(DEPLOY / "paraphe.ini")})
    assert f"server {read.listen};" in NGINX
    assert "127.0.0.1" in str(read.trusted_proxies)
    assert f"server_name {NAME};" in NGINX


# nginx -----------------------------------------------------------------------------------------------------------


def figure(name):
    """The value of a directive that stands once in the file, in bytes or seconds."""
    (found,) = re.findall(rf"^    {name} (\d+)([ms]?);", NGINX, re.MULTILINE)
    return int(found[0]) * (1 << 20 if found[1] == "m" else 1)


def test_nginx_lets_pass_what_the_server_answers_and_no_more():
    assert DEFAULTS.message_bytes < figure("client_max_body_size") <= 4 * DEFAULTS.message_bytes


def test_nginx_and_the_server_are_patient_in_step():
    assert figure("client_header_timeout") == DEFAULTS.head_seconds
    assert figure("client_body_timeout") > DEFAULTS.pause_seconds
    assert figure("send_timeout") >= PATIENCE
    idle = re.search(r"upstream paraphe \{.*?keepalive_timeout (\d+)s;.*?\}", NGINX, re.DOTALL)
    assert idle
    assert int(idle[1]) < 120  # serve/server.py, channel_timeout


def test_the_log_of_nginx_knows_every_address_of_a_document():
    (places,) = re.findall(r"/\(([a-z|]+)\)/\)", NGINX)
    assert {f"/{place}/" for place in places.split("|")} == set(links.PATHS)


def free_ports(number):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def certificate(folder):
    """Write a certificate of our name, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    (folder / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def configured(folder, server, plain, tls):
    """Write what nginx needs around our file, with ports and places of our own; gives its path."""
    certificate(folder)
    ours = re.sub(r"^ *listen \[::].*\n", "", NGINX, flags=re.MULTILINE)
    ours = ours.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ", f"listen 127.0.0.1:{tls} ")
    ours = ours.replace("server 127.0.0.1:8080;", f"server {server};").replace("/var/log/nginx", str(folder))
    ours = ours.replace(f"/etc/letsencrypt/live/{NAME}", str(folder))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{ours}\n}}\n"
    )
    return file


def test_nginx_takes_the_file(tmp_path):
    file = configured(tmp_path, "127.0.0.1:8080", *free_ports(2))
    command = [program("nginx"), "-t", "-p", str(tmp_path), "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "test is successful" in done.stderr, done.stderr
    assert "[warn]" not in done.stderr


def tells_who(environ, start):
    """Answer with what the server knows of the caller, of the size of an own text."""
    told = f"{environ['REMOTE_ADDR']} {len(environ['wsgi.input'].read())}".encode()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [told]


@pytest.fixture
def front(tmp_path):
    """nginx in front of a server: gives `ask(method, path, …)` by https, and `plain` the port without it."""
    nginx = program("nginx")
    plain, tls = free_ports(2)
    read = settings.read({"listen": "127.0.0.1:0", "trusted_proxies": "127.0.0.1"})
    with running(Server(lambda _: tells_who, read)) as url:
        file = configured(tmp_path, url.removeprefix("http://"), plain, tls)
        with subprocess.Popen(
            [nginx, "-p", str(tmp_path), "-c", str(file)], stderr=subprocess.DEVNULL
        ) as running_nginx:
            try:
                wait_for(plain, running_nginx)
                yield Front(tmp_path, plain, tls)
            finally:
                running_nginx.terminate()


def wait_for(port, process):
    """Wait until a process takes connections, for half a minute at most."""
    end = monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert monotonic() < end
            assert process.poll() is None
            threading.Event().wait(0.01)
        else:
            return


class Front:
    """nginx as callers meet it."""

    def __init__(self, folder, plain, tls):
        self.folder, self.plain, self.tls = folder, plain, tls

    @contextmanager
    def connected(self, name=NAME):
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        with closing(http.client.HTTPConnection("127.0.0.1", self.tls, timeout=30)) as connection:
            connection.connect()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
            yield connection

    def ask(self, method, path, body=None, **headers):
        with self.connected() as connection:
            connection.request(method, path, body, {"Host": NAME, **headers})
            answer = connection.getresponse()
            return answer, answer.read().decode()


def test_the_address_of_the_caller_is_not_what_the_caller_says(front):
    answer, told = front.ask("POST", "/soap/v1", b"x" * 5_000_000, **{"X-Forwarded-For": "192.0.2.66"})
    assert (answer.status, told) == (200, "127.0.0.1 5000000")
    assert answer.getheader("Strict-Transport-Security") == "max-age=31536000"
    assert "/" not in answer.getheader("Server")


def test_without_https_nothing_is_taken_and_nobody_is_redirected(front):
    with closing(http.client.HTTPConnection("127.0.0.1", front.plain, timeout=30)) as connection:
        connection.request("POST", "/soap/v1", b"x", {"Host": NAME})
        answer = connection.getresponse()
        assert (answer.status, b"https only" in answer.read()) == (403, True)


def test_another_name_gets_no_certificate(front):
    with pytest.raises(ssl.SSLError), front.connected("somebody.example.org"):
        pass


def test_the_address_of_a_document_is_not_written_down(front):
    for path in ("/documents/a-secret.pdf", "/records/a-secret.zip?a-secret", "/soap/v1?wsdl=a-secret"):
        front.ask("GET", path)
    written = (front.folder / "paraphe.log").read_text()
    assert "a-secret" not in written
    assert "GET /documents/..." in written
    assert "GET /soap/v1" in written


# Prometheus ------------------------------------------------------------------------------------------------------

RULES = (DEPLOY / "prometheus" / "paraphe.rules.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_alerts_ask_for_metrics_and_codes_that_there_are(engine):
    known = Metrics().text(health.Queue(engine).gauges())
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in re.findall(r"\bparaphe_[a-z_]+", RULES + operations):
        assert re.search(rf"^# TYPE {name.removesuffix('_bucket')} ", known, re.MULTILINE), name
    (group,) = import_module("yaml").safe_load(RULES)["groups"]
    for rule in group["rules"]:
        for code in re.findall(r'code="(\w+)"', rule["expr"]):
            assert code in list(Code)


def test_every_metric_is_explained():
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Monitoring")[2]
    for name in re.findall(r"^# TYPE paraphe_(\w+) ", Metrics().text(), re.MULTILINE):
        assert f"`{name}`" in table


# PostgreSQL ------------------------------------------------------------------------------------------------------


def test_postgresql_takes_every_line_of_its_settings(postgresql_admin, tmp_path):
    """The view `pg_file_settings` reads the files again and says what is wrong with them; nothing is put in force."""
    with postgresql_admin.connect() as admin:
        folder = Path(admin.scalar(text("SHOW data_directory")))
        main, ours = folder / "postgresql.conf", folder / "paraphe.conf"
        before = main.read_bytes()
        try:
            shutil.copy(DEPLOY / "postgresql" / "paraphe.conf", ours)
            ours.chmod(0o644)
            main.write_bytes(before + b"\ninclude 'paraphe.conf'\n")
            asked = (
                "SELECT name, file.setting, error, context FROM pg_file_settings file"
                " LEFT JOIN pg_settings USING (name) WHERE file.sourcefile LIKE '%/paraphe.conf'"
            )
            rows = admin.execute(text(asked)).all()
        finally:
            main.write_bytes(before)
            ours.unlink()
    # What would need a restart cannot be tried: it has to be a number at least.
    restart = {
        name for name, value, _, context in rows if context == "postmaster" and re.fullmatch(r"\d+([kMG]B)?", value)
    }
    assert [(name, error) for name, _, error, _ in rows if error and name not in restart] == []
    assert {"synchronous_commit", "shared_buffers", "log_parameter_max_length"} <= {row.name for row in rows}


def test_postgresql_is_told_to_keep_the_promise_and_to_log_no_values():
    parser = configparser.ConfigParser(default_section="none")
    parser.read_string("[all]\n" + (DEPLOY / "postgresql" / "paraphe.conf").read_text())
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert parser["all"][name] == "on"
    assert parser["all"]["log_parameter_max_length"] == "0"
    assert parser["all"]["log_error_verbosity"] == "terse"


# The container ---------------------------------------------------------------------------------------------------


def test_the_image_is_built_from_what_is_there_and_has_all_packages():
    copied = [
        source for line in re.findall(r"^COPY (?!--)(.*)$", CONTAINER, re.MULTILINE) for source in line.split()[:-1]
    ]
    for source in copied:
        assert (ROOT / source).exists(), source
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    folders = {line.split(" = ")[1].split("/")[0] for line in parser["options"]["package_dir"].split("\n") if line}
    assert folders <= set(copied)


def test_the_image_runs_as_nobody_special_and_is_asked_whether_it_lives():
    assert re.findall(r"^USER (\d+)$", CONTAINER, re.MULTILINE) == ["10001"]
    assert CONTAINER.index("USER 10001") < CONTAINER.index("ENTRYPOINT")
    (asked,) = re.findall(r"urlopen\('http://127.0.0.1:8080(/\w+)'", CONTAINER)
    assert asked in health.PATHS


def test_the_settings_of_the_image_are_settings():
    given = dict(re.findall(r"(PARAPHE_[A-Z_]+)=(\S+)", CONTAINER.partition("ENV ")[2]))
    assert settings.unknown_variables(given) == []
    assert settings.read({}, given).listen.everywhere
