"""The page's style sheet: light and dark, narrow and printed."""

from chatbench.report.drawing import variables

_SHEET = """
:root{color-scheme:light dark;--ink:#1b1f23;--soft:#57606a;--page:#fff;--card:#f6f8fa;
--line:#d0d7de;--bad:#b3261e;--badpage:#fdecea;--warn:#fff4d6;--warnink:#5c4400;LIGHT}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#a0a8b0;--page:#14171a;
--card:#1c2126;--line:#3a424a;--bad:#ff8a80;--badpage:#3a1a1a;--warn:#3a3113;
--warnink:#ffe08a;DARK}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:66rem;padding:1rem;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.3rem;margin:2.5rem 0 .5rem;border-bottom:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.5rem 0 .3rem}
a{color:inherit}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:0}
.lead{font-size:1.15rem}
.soft,figcaption{color:var(--soft);font-size:.9rem}
.banner,.caution{border-radius:.4rem;padding:.6rem .9rem;background:var(--warn);
color:var(--warnink)}
.banner{font-size:1.15rem;font-weight:700;border:2px solid currentColor}
figure{margin:0 0 1.5rem}
figcaption{margin:.4rem 0}
.box{overflow:auto;max-height:36rem;border:1px solid var(--line);border-radius:.4rem;
margin:.5rem 0 1rem}
.chart{overflow-x:auto;background:var(--card);border-radius:.4rem;padding:.5rem}
svg{display:block;width:100%;min-width:34rem;height:auto;overflow:visible}
svg *{stroke-linejoin:round;stroke-linecap:butt}
svg text{font-family:system-ui,sans-serif}
table{border-collapse:separate;border-spacing:0;font-size:.82rem;
font-variant-numeric:tabular-nums;overflow-wrap:normal}
caption{text-align:left;font-weight:600;padding:.4rem .6rem;position:sticky;left:0}
caption span{display:block;max-width:min(56rem,82vw)}
th,td{padding:.2rem .6rem;text-align:right;vertical-align:top;
border-top:1px solid var(--line);white-space:nowrap}
thead th{position:sticky;top:0;background:var(--card);white-space:normal;
vertical-align:bottom;min-width:4.5rem;z-index:1}
th:first-child,.w{text-align:left}
tbody th{position:sticky;left:0;background:var(--page);font-weight:600}
.long{min-width:16rem;max-width:26rem;white-space:normal}
.bad th,.bad td{color:var(--bad);background:var(--badpage)}
.verdict{font-weight:700}
dt{font-weight:600;margin-top:.6rem}
dd{margin:0}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
@media (max-width:40rem){tbody th{min-width:6.5rem;max-width:40vw;
white-space:normal;overflow-wrap:break-word}}
@page wide{size:A3 landscape;margin:6mm}
@media print{#rows{page:wide;font-size:8pt}#rows table{font-size:4.2pt}
#rows th,#rows td{padding:0 .1rem}body{max-width:none;font-size:10pt}nav{display:none}
.box,.chart{max-height:none;overflow:visible;border:0}
table{font-size:6pt}th,td,thead th,.long{white-space:normal;padding:.1rem .2rem;
min-width:0}
thead th,tbody th,caption{position:static}
figure,tr,li,dt{break-inside:avoid}h2,h3,caption{break-after:avoid}}
"""


def style() -> str:
    """The sheet with the charts' colours in both themes."""
    return (
        _SHEET.strip()
        .replace("LIGHT", variables(dark=False))
        .replace("DARK", variables(dark=True))
    )
