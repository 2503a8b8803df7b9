"""The users that the tests need, in the forms in which the gateway and the suite ceph/s3-tests want them."""

import hashlib

# Fixed, since they guard nothing: the server that knows them lives for one test on the loopback interface.
USERS = {
    "main": ("TESTMAINACCESSKEY00", "testmainsecretkey0000000000000000000000"),
    "alt": ("TESTALTACCESSKEY000", "testaltsecretkey00000000000000000000000"),
    "tenant": ("TESTTENANTACCESSKEY", "testtenantsecretkey00000000000000000000"),
    "iam": ("TESTIAMACCESSKEY000", "testiamsecretkey00000000000000000000000"),
    "iam root": ("TESTROOTACCESSKEY00", "testrootsecretkey0000000000000000000000"),
    "iam alt root": ("TESTALTROOTACCESSKE", "testaltrootsecretkey0000000000000000000"),
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def account(user):
    """The account of a user, of twelve digits: each user has one of its own, so that none owns another's buckets."""
    return f"{100000000001 + list(USERS).index(user)}"


def canonical_id(user):
    """The id that stands as owner in listings: the gateway derives it from the account."""
    return hashlib.sha256(f"tidegate-canonical-user:{account(user)}".encode()).hexdigest()


def s3tests_sections():
    """The sections of s3tests.conf."""
    sections = {"DEFAULT": {}, "fixtures": {"bucket prefix": "t{random}-", "iam name prefix": "s3-tests-"}}
    for user, (access_key, secret_key) in USERS.items():
        section = user if user.startswith("iam") else f"s3 {user}"
        sections[section] = {
            "display_name": user,
            "user_id": canonical_id(user),
            "email": f"{user.replace(' ', '-')}@example.com",
            "access_key": access_key,
            "secret_key": secret_key,
        }
    sections["s3 main"]["api_name"] = "us-east-1"
    sections["s3 tenant"]["tenant"] = "testx"
    return sections


def gateway_configuration():
    """The gateway's configuration, as the object that its YAML says: every user with full access to its own account."""
    return {
        "keys": [
            {
                "access-key": access_key,
                "secret": secret_key,
                "user": user.replace(" ", "-"),
                "account": account(user),
                "policies": [EVERYTHING],
            }
            for user, (access_key, secret_key) in USERS.items()
        ]
    }
