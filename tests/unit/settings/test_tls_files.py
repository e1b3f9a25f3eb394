"""Certificates are read where the connection pool is made."""

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from bff.settings import SettingsError, load_settings
from bff.wiring import network

PREFIX = "BFF_UPSTREAMS__USERS__TLS__"
CA = f"{PREFIX}CA: must hold certificates in PEM"
CERT = f"{PREFIX}CERT: must hold a certificate, and KEY its bare key, in PEM"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    ours, other = authority.issue_cert("bff"), authority.issue_cert("other")
    key = load_pem_private_key(ours.private_key_pem.bytes(), None)
    contents = {
        "ca": authority.cert_pem.bytes(),
        "cert": ours.cert_chain_pems[0].bytes(),
        "key": ours.private_key_pem.bytes(),
        "other-key": other.private_key_pem.bytes(),
        "locked-key": key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open")
        ),
        "nonsense": b"not PEM",
        "empty": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def upstream(folder, **files):
    environ = {PREFIX + name.upper(): str(folder / file) for name, file in files.items()}
    settings = load_settings({"BFF_UPSTREAMS__USERS__URL": "https://users.internal"} | environ)
    return settings.upstreams.users


@pytest.mark.parametrize("files", [{}, {"ca": "ca"}, {"ca": "ca", "cert": "cert", "key": "key"}])
async def test_good_files(folder, files):
    """Ours is optional, and so is the authority."""
    await network("users", upstream(folder, **files)).aclose()


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"ca": "nonsense"}, CA),
        ({"ca": "empty"}, CA),
        ({"ca": "key"}, CA),
        ({"cert": "nonsense", "key": "key"}, CERT),
        ({"cert": "cert", "key": "nonsense"}, CERT),
        ({"cert": "cert", "key": "other-key"}, CERT),
        ({"cert": "cert", "key": "locked-key"}, CERT),
    ],
)
def test_files_that_are_something_else(folder, files, line):
    """One line that names the setting; an encrypted key is not asked about on the terminal."""
    with pytest.raises(SettingsError) as wrong:
        network("users", upstream(folder, **files))
    assert wrong.value.lines == [line]


def test_a_file_that_has_gone_since(folder, tmp_path):
    """It was there when the settings were read."""
    (tmp_path / "ca").write_bytes((folder / "ca").read_bytes())
    settings = upstream(tmp_path, ca="ca")
    (tmp_path / "ca").unlink()
    with pytest.raises(SettingsError) as wrong:
        network("users", settings)
    assert wrong.value.lines == [CA]
