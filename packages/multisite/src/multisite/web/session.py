"""The page's session: a sealed cookie that carries the token, and nothing on the server.

Any process that has the key serves any session, and a restart loses none. The cookie's text is
`v1.` + base64url(nonce ‖ AES-256-GCM(JSON)); the purpose is bound in as associated data, so that what
was sealed for one use opens for no other. The key is derived from the configured bytes by HKDF-SHA256.
A session that is tampered with, foreign, of another version or past its expiry does not open: then there
is no session, and the browser is sent to the log-in.
"""

import base64
import binascii
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from multisite.clock import Clock

VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_SESSION, _LOGIN = b"multisite session v1", b"multisite log-in form v1"

#: Browsers drop larger cookies without a word.
LARGEST_COOKIE = 3900


@dataclass(frozen=True, slots=True)
class Session:
    """What a signed-in browser carries. `form_token` goes into forms (cross-site request forgery)."""

    token: str
    expires_at: datetime
    form_token: str


def new_form_token() -> str:
    """An unguessable text for a form."""
    return secrets.token_urlsafe(18)


class SessionSealer:
    """Seals and opens what the page keeps in the browser."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"The session key has {len(key)} bytes; it needs at least {_KEY_BYTES}.")
        derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"multisite page")
        self._cipher = AESGCM(derive.derive(key))

    def seal(self, session: Session) -> str:
        """The cookie's text for a session."""
        fields = asdict(session) | {"expires_at": session.expires_at.timestamp()}
        return self._seal(fields, _SESSION)

    def open(self, text: str | None, clock: Clock) -> Session | None:
        """The session in a cookie; `None` when there is none that holds now."""
        fields = self._open(text, _SESSION)
        if fields is None:
            return None
        session = Session(
            token=str(fields["token"]),
            expires_at=datetime.fromtimestamp(float(fields["expires_at"]), UTC),
            form_token=str(fields["form_token"]),
        )
        return session if clock.now() < session.expires_at else None

    def seal_form_token(self, form_token: str) -> str:
        """The text of the cookie that goes with the log-in form, before there is a session."""
        return self._seal({"form_token": form_token}, _LOGIN)

    def open_form_token(self, text: str | None) -> str | None:
        """The form token in the log-in form's cookie."""
        fields = self._open(text, _LOGIN)
        return str(fields["form_token"]) if fields else None

    def _seal(self, fields: dict[str, Any], purpose: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(fields).encode(), purpose)
        return f"{VERSION}.{base64.urlsafe_b64encode(nonce + sealed).rstrip(b'=').decode()}"

    def _open(self, text: str | None, purpose: bytes) -> dict[str, Any] | None:
        version, _, body = (text or "").partition(".")
        if version != VERSION:
            return None
        try:
            raw = base64.urlsafe_b64decode(body.encode("ascii") + b"=" * (-len(body) % 4))
            fields = json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose))
        except (InvalidTag, ValueError, binascii.Error):
            return None
        return fields if isinstance(fields, dict) else None
