"""The one exception for mistakes a user can mend."""


class UserError(Exception):
    """Something the user can fix. The message is one line: file, value seen, value wanted, the fix."""
