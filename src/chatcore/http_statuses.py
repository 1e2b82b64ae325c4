"""Which status of HTTP says what a refusal says, for handlers of an application.

Statuses are those of RFC 9110; 429 is of RFC 6585, 507 of RFC 4918.
"""

from collections.abc import Mapping
from typing import Final

from chatcore import errors
from chatcore.errors import ChatError, Closed, Outage, Refusal

STATUS_OF: Final[Mapping[type[ChatError], int]] = {
    errors.LoginRequired: 401,
    errors.WrongCredentials: 401,
    errors.SessionGone: 401,
    errors.ProofRequired: 401,
    errors.ProofRefused: 401,
    errors.ProofOfAnother: 403,
    errors.RegistrationClosed: 403,
    errors.InvitationRefused: 403,
    errors.NoSuchAccount: 404,
    errors.NoSuchRecipient: 404,
    errors.AlreadyLoggedIn: 409,
    errors.AccountInUse: 409,
    errors.NameTaken: 409,
    errors.Fenced: 409,
    errors.KeyReused: 409,
    errors.KeyExpired: 409,
    errors.OtherAccount: 409,
    errors.DeletionStalled: 409,
    errors.MailboxNotEmpty: 409,
    errors.TooManyAttempts: 429,
    errors.RateExceeded: 429,
    errors.TooManyOperations: 429,
    errors.InternalError: 500,
    errors.UnknownCommand: 501,
    errors.AccountsElsewhere: 501,
    errors.PasswordsOnly: 501,
    errors.MailboxFull: 507,
    errors.MailboxShare: 507,
    Outage: 503,
    Refusal: 400,
    Closed: 503,
    ChatError: 500,
}
"""What is not named is as what it derives from."""


def http_status(error: ChatError) -> int:
    """The status that an application's handler answers this with::

    @app.exception_handler(ChatError)
    async def refused(request, error):
        return JSONResponse({"error": str(error)}, http_status(error))
    """
    return next(STATUS_OF[kind] for kind in type(error).mro() if kind in STATUS_OF)
