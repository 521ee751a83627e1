"""URLs in one spelling, so that addresses which a server cannot tell apart are the same."""

import re

from yarl import URL

PORTS = {"http": 80, "https": 443, "ftp": 21}
TRACKING = re.compile(
    r"utm_\w+|gclid|gclsrc|gbraid|wbraid|dclid|fbclid|msclkid|yclid|ysclid|twclid|ttclid|igshid|li_fat_id|mc_[ce]id"
    r"|_ga|_gl|_hs(?:enc|mi)|hsa_\w+|mkt_tok|vero_(?:conv|id)|oly_(?:anon|enc)_id|wickedid|s_cid",
    re.IGNORECASE,
)
"""Names of parameters that say how somebody came, and not what is shown."""


def canonical(url: str) -> str | None:
    """Return one spelling for all of a page's addresses; None where it is no absolute URL with a host.

    - White space around it is no part of it. Scheme and host are in small letters; a host in other scripts is in its
      ASCII form (IDNA), and a dot at its end goes.
    - The port goes where it is the scheme's own: http 80, https 443, ftp 21.
    - The path has no `.` and `..` segments; an empty one is `/`. Its case and a slash at its end matter.
    - Percent-encoding: what needs none is decoded (`%7E` is `~`), what stays has capital digits (`%2f` is `%2F`).
    - In the query `+` and `%20` are both a blank, and `a` is `a=`. Parameters are sorted by name, those of one name
      stay in their order; those of `TRACKING` go, and an empty query goes with its question mark.
    - The fragment goes, except one that begins with `!`, by which scripts name a page of its own.

    http and https, and hosts with and without `www.`, are different addresses: nothing says that they show the same.
    """
    try:
        parsed = URL(url.strip())
        host = (parsed.host_subcomponent or "").rstrip(".")
    except ValueError:
        return None
    if not parsed.scheme or not host:
        return None
    query = _query(parsed.raw_query_string)
    address = f"{parsed.scheme}://{_authority(parsed, host)}{parsed.raw_path or '/'}"
    fragment = parsed.raw_fragment if parsed.raw_fragment.startswith("!") else ""
    return address + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _authority(parsed: URL, host: str) -> str:
    user, at, _ = parsed.raw_authority.rpartition("@")
    port = parsed.explicit_port
    return user + at + host + ("" if port in {None, PORTS.get(parsed.scheme)} else f":{port}")


def _query(raw: str) -> str:
    """Return the parameters of a percent-encoded query, sorted, without those that track."""
    parameters = [parameter.partition("=") for parameter in raw.replace("%20", "+").split("&") if parameter]
    wanted = [(name, value) for name, _, value in parameters if not TRACKING.fullmatch(name)]
    return "&".join(f"{name}={value}" for name, value in sorted(wanted, key=lambda pair: pair[0]))
