import pytest


@pytest.fixture
def toml(tmp_path):
    """Writes a file, and says so to the program."""

    def write(text):
        file = tmp_path / "bff.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return {"BFF_CONFIG": str(file)}

    return write
