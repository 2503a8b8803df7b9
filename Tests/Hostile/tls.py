#!/usr/bin/env python3
"""TLS as scanners see it: sslyze and testssl.sh against the gateway, and what they may not find.

TLS 1.2 and 1.3 alone; ciphers with forward secrecy and authenticated encryption alone; no renegotiation by the client,
no compression, no known hole. What comes of the certificate, which these tests make themselves, is left out, and what
no S3 server has: HSTS and the other headers for browsers.

Exit code 0: all of it held. 1: something did not (it is named).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from Harness import certificates, gateway, venv  # noqa: E402
from Hostile import scene  # noqa: E402

SUITES = {
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
}
REFUSED = ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"]
# What testssl.sh calls a fault, and why it is none here.
EXPECTED = {
    "cert_chain_of_trust": "the authority is the tests' own",
    "cert_expirationStatus": "the certificate lasts 30 days",
    "cert_notAfter": "the same",
    "cert_revocation": "the authority has no list of what it revoked",
    "DNS_CAArecord": "the name is localhost",
    "HSTS": "of browsers; S3 sends none",
    "security_headers": "the same",
    "cipher_order": "all that is offered is sound, so that a client may take what its processor is best at",
    "engine_problem": "of the openssl that scans",
}


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sslyze", "testssl"], help="one of the scanners")
    parser.add_argument("--folder", type=pathlib.Path, help="where the reports go, and stay (a temporary folder)")
    return parser.parse_args(given)


def sslyze(port, folder, say):
    report = folder / "sslyze.json"
    command = [sys.executable, "-m", "sslyze", f"--json_out={report}", f"127.0.0.1:{port}"]
    # Its exit code tells whether Mozilla would take the certificate.
    subprocess.run(command, check=False, capture_output=True, timeout=300)
    results = json.loads(report.read_text())["server_scan_results"]
    assert len(results) == 1 and results[0]["scan_status"] == "COMPLETED", results
    found = {name: each["result"] for name, each in results[0]["scan_result"].items() if each and each["result"]}
    suites = {
        version: {each["cipher_suite"]["name"] for each in found[f"{version}_cipher_suites"]["accepted_cipher_suites"]}
        for version in [*REFUSED, "tls_1_2", "tls_1_3"]
    }
    assert not any(suites[version] for version in REFUSED), suites
    assert suites["tls_1_2"] and suites["tls_1_3"] and suites["tls_1_2"] | suites["tls_1_3"] <= SUITES, suites
    assert not found["tls_compression"]["supports_compression"]
    assert not found["heartbleed"]["is_vulnerable_to_heartbleed"]
    assert not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
    assert found["robot"]["robot_result"].startswith("NOT_VULNERABLE"), found["robot"]
    assert found["tls_fallback_scsv"]["supports_fallback_scsv"]
    assert found["tls_extended_master_secret"]["supports_ems_extension"]
    renegotiation = found["session_renegotiation"]
    assert renegotiation["supports_secure_renegotiation"], renegotiation
    assert renegotiation["client_renegotiations_success_count"] == 0, renegotiation
    assert not renegotiation["is_vulnerable_to_client_renegotiation_dos"], renegotiation
    say(f"sslyze: {len(suites['tls_1_2'])} suites of TLS 1.2, {len(suites['tls_1_3'])} of TLS 1.3, nothing else")


def testssl(port, folder, say):
    report = folder / "testssl.json"
    command = ["testssl", "--quiet", "--warnings", "off", "--color", "0", "--jsonfile", str(report)]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=False, capture_output=True, timeout=1500)
    findings = json.loads(report.read_text())
    assert len(findings) > 80, f"only {len(findings)} findings: the scan did not end"
    bad = [each for each in findings if each["severity"] not in ("OK", "INFO", "DEBUG")]
    unexpected = [each for each in bad if each["id"].split(" ")[0] not in EXPECTED]
    assert not unexpected, unexpected
    versions = {each["id"]: each["finding"] for each in findings if each["id"].startswith(("SSL", "TLS"))}
    for old in ["SSLv2", "SSLv3", "TLS1", "TLS1_1"]:
        assert "not offered" in versions[old], versions
    assert "offered" in versions["TLS1_2"] and "offered" in versions["TLS1_3"], versions
    say(f"testssl.sh: {len(findings)} findings, {len(bad)} of them of the certificate and for browsers")


def run(options, folder, say=print):
    folder.mkdir(parents=True, exist_ok=True)
    with gateway.Gateway(folder / "gateway", tls=certificates.make(folder)) as running:
        for scan in [sslyze, testssl]:
            if options.only in (None, scan.__name__):
                start = time.monotonic()
                scan(running.port, folder, say)
                say(f"{scan.__name__} took {time.monotonic() - start:.0f} s")


def main(given=None):
    return scene.play(run, arguments(given))


if __name__ == "__main__":
    venv.enter(__file__)
    sys.exit(main())
