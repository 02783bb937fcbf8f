/** The one stylesheet, served as /style.css. Sizes in rem, colours from tokens.ts. */
import { customProperties, dark, light } from './tokens.ts'

export const stylesheet = `
@font-face{font-family:"Source Sans 3";src:url(/fonts/source-sans-3.woff2) format("woff2");font-weight:200 900;font-display:swap}
@font-face{font-family:"Fallback Sans";src:local("Arial"),local("Liberation Sans");size-adjust:93.8%;ascent-override:109%;descent-override:42%}
:root{color-scheme:light dark;${customProperties(light)};--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{${customProperties(dark)}}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:400 1rem/1.5 "Source Sans 3","Fallback Sans",sans-serif;font-variant-numeric:lining-nums tabular-nums}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:.15em}
a:visited{color:var(--visited)}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
h1,h2,h3{line-height:1.2;text-wrap:balance;font-weight:650;margin:0}
h1{font-size:1.9rem;letter-spacing:-.01em}
h2{font-size:1.45rem;margin-top:3rem;margin-bottom:.75rem}
h3{font-size:1.1rem;margin-top:1.5rem;margin-bottom:.5rem}
p{margin:.5rem 0}
p,li,dd{max-width:44rem}
small,.small{font-size:.8125rem}
.muted{color:var(--muted)}
code,pre,.mono{font-family:var(--mono);font-size:.875em}
pre{margin:.75rem 0;padding:.75rem 1rem;background:var(--surface);border-left:3px solid var(--rule);white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5;max-width:76rem}
code{overflow-wrap:anywhere}
pre code{font-size:1em}
sub{line-height:0}
hr{border:0;border-top:1px solid var(--rule);margin:2rem 0}
dl{margin:.75rem 0}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem}
dl.facts dt{color:var(--muted)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.25rem .5rem;z-index:5}
.wrap{max-width:78rem;margin:0 auto;padding:0 1.5rem}
.top{border-bottom:1px solid var(--rule)}
.top .wrap{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1.5rem;padding-top:.75rem;padding-bottom:.75rem}
.wordmark{font-weight:700;font-size:1.3rem;letter-spacing:-.01em;text-decoration:none;text-shadow:.1em .2em 0 var(--ghost)}
.wordmark:hover{text-shadow:none}
.wordmark,.wordmark:visited{color:var(--text)}
.top nav ul{display:flex;flex-wrap:wrap;gap:0 1.25rem;list-style:none;margin:0;padding:0}
.top nav a{display:inline-block;padding:.25rem 0;color:var(--text);text-decoration:none}
.top nav a:hover{text-decoration:underline}
.top nav a[aria-current]{box-shadow:0 2px 0 var(--text)}
.crumbs{font-size:.9375rem;color:var(--muted);margin:1.25rem 0 .5rem}
main.wrap{padding-bottom:4rem}
.lede{font-size:1.15rem;line-height:1.45;margin-top:.6rem;max-width:46rem;overflow-wrap:anywhere}
.foot{border-top:1px solid var(--rule);color:var(--muted);font-size:.875rem}
.foot .wrap{padding-top:1rem;padding-bottom:2rem;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem}
.foot p{margin:0}
.hero{position:relative;overflow:hidden;padding:3.25rem 0 1.5rem}
.hero h1{font-size:clamp(2rem,4.6vw,3.1rem);letter-spacing:-.02em;max-width:20ch}
.ghost{position:absolute;right:0;top:0;bottom:0;width:17rem;writing-mode:vertical-rl;font-size:1.35rem;line-height:1.75rem;color:var(--ghost);user-select:none;overflow:hidden;white-space:nowrap;mask-image:linear-gradient(#000 55%,transparent)}
.ghost div::before{content:attr(data-line)}
.ghost div:nth-child(3n+2)::before{text-decoration:line-through;text-decoration-thickness:2px}
.hero .lede{max-width:38rem}
@media (max-width:62rem){.ghost{display:none}.hero{padding-top:2rem}}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1.5rem 2.5rem;list-style:none;padding:0;margin:1rem 0}
.card{border-top:2px solid var(--text);padding:.75rem 0 0;max-width:none}
.card h3{margin:0 0 .25rem;font-size:1.2rem}
.standing{list-style:none;margin:.75rem 0;padding:0}
.standing li{display:grid;grid-template-columns:2.6rem 1fr max-content;gap:.5rem;padding:.2rem 0;border-top:1px solid var(--rule);max-width:none;font-size:.9375rem}
.standing .num{text-align:right}
.list{list-style:none;margin:.5rem 0;padding:0;max-width:56rem}
.list li{padding:.4rem 0;border-top:1px solid var(--rule);max-width:none;display:flex;flex-wrap:wrap;gap:0 1rem;justify-content:space-between}
.starts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1.5rem}
.starts>*{min-width:0}
.starts h3{margin-top:0}
.scroll caption.visually-hidden{left:0}
.scroll{position:relative;overflow-x:auto;max-width:76rem;margin:.75rem 0}
table{border-collapse:collapse;font-size:.9375rem;line-height:1.25;border-top:2px solid var(--text);border-bottom:1px solid var(--text)}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding-bottom:.5rem;line-height:1.4}
th,td{text-align:left;vertical-align:top;padding:.5rem .9rem .5rem 0;font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{vertical-align:bottom;border-bottom:1px solid var(--text);font-weight:600;white-space:nowrap}
tbody tr+tr>*{border-top:1px solid var(--rule)}
tbody+tbody>tr:first-child>*{border-top:1px solid var(--text)}
.num{text-align:right;white-space:nowrap}
.board,.queue{width:100%;min-width:54rem}
.board th[scope=row]{min-width:13rem}
.board .mean{font-size:1.0625rem;font-weight:600}
.board .num span{display:block}
.board .sd,.board small{color:var(--muted);font-size:.8125rem}
.below{color:var(--below)}
.above{color:var(--above)}
.reference>*{background:var(--surface)}
.reference>*:first-child{padding-left:.6rem}
.board thead th:first-child,.board tbody tr>*:first-child{padding-left:.6rem}
.sort{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:.25rem 0;cursor:pointer;text-align:inherit;text-decoration:underline;text-decoration-color:var(--border);text-underline-offset:.2em;text-decoration-thickness:1px}
.sort:hover{text-decoration-color:currentColor}
.unit{display:block;font-weight:400;font-size:.8125rem;color:var(--muted)}
.seeds{font-size:.8125rem;color:var(--muted)}
.seeds a{padding:.15rem}
.warn{color:var(--warn)}
.by-class{width:auto;min-width:0}
.by-class thead th{font-weight:400}
.board.by-class th[scope=row]{min-width:0}
.classes{list-style:none;margin:.25rem 0;padding:0;columns:2}
.classes li{padding:.15rem 0}
.choice ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:0;padding:0}
.choice a{display:inline-block;padding:.25rem 0}
.choice a[aria-current]{color:var(--text);font-weight:600;text-decoration:none;box-shadow:0 2px 0 var(--text)}
details>summary{cursor:pointer;color:var(--link)}
td details,th details{font-size:.8125rem}
.params{margin:.25rem 0;display:grid;grid-template-columns:max-content 1fr;gap:0 .75rem}
.params dt{color:var(--muted)}
.params dd{margin:0}
.state{display:inline-flex;align-items:baseline;gap:.35em;white-space:nowrap}
.state svg{width:.85em;height:.85em;flex:none;align-self:center}
a .state{text-decoration:underline}
.state.done{color:var(--text)}
.state.running{color:var(--link)}
.state.failed{color:var(--failed)}
.state.cancelled,.state.queued{color:var(--muted)}
.badge{padding:.1rem .6rem;border-radius:2px;font-weight:600;font-size:.9375rem}
.badge.done{background:var(--tint-ok);color:var(--ok)}
.badge.running{background:var(--tint-running);color:var(--link)}
.badge.failed{background:var(--tint-failed);color:var(--failed)}
.badge.queued,.badge.cancelled{background:var(--tint-neutral);color:var(--muted)}
.heading{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center}
.box{border-left:4px solid var(--failed);background:var(--tint-failed);padding:.75rem 1rem;margin:1rem 0;max-width:60rem}
.box h2{margin:0 0 .25rem;font-size:1.1rem;color:var(--failed)}
.box pre{background:var(--page);border:0}
.box.note{border-color:var(--border);background:var(--surface)}
.live{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.9375rem;background:var(--tint-running);padding:.4rem .75rem;margin:1rem 0;max-width:76rem}
.live p{margin:0}
.stages{list-style:none;counter-reset:stage;padding:0;margin:.75rem 0;max-width:60rem}
.stages>li{counter-increment:stage;display:grid;grid-template-columns:2rem 1fr max-content;gap:.1rem .75rem;padding:.6rem 0;border-top:1px solid var(--rule);max-width:none}
.stages>li:last-child{border-bottom:1px solid var(--rule)}
.stages>li::before{content:counter(stage);color:var(--muted)}
.stages .what{font-weight:600}
.stages .note{grid-column:2/-1;font-size:.875rem;color:var(--muted)}
progress{width:min(16rem,60%);height:.6rem;vertical-align:middle;accent-color:var(--link)}
figure{margin:1.5rem 0;max-width:44rem}
figure h3{margin:0}
figure .sub{color:var(--muted);font-size:.9375rem;margin:0 0 .5rem}
figure.samples{max-width:76rem}
.grids{display:grid;grid-template-columns:minmax(0,1fr);gap:1.25rem 1.5rem}
.grid h4{margin:0 0 .4rem;font-size:1rem;font-weight:600}
.grid .rows{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.6rem;max-width:max-content}
.grid ol{list-style:none;margin:0;padding:0;display:grid;grid-auto-rows:1fr;font-size:.8125rem;line-height:1.05;text-align:right}
.grid li{align-self:center}
.grid li strong{display:block}
.grid .window{overflow-x:auto;max-width:max-content}
.grid img{display:block;max-width:none;image-rendering:pixelated}
@media (min-width:76rem){.grids{grid-template-columns:repeat(3,minmax(0,max-content))}.grid:not(:has(ol)){max-width:18rem}.grid:has(ol)~.grid ol{display:none}.grid:has(ol)~.grid .rows{grid-template-columns:minmax(0,1fr)}}
figcaption{font-size:.875rem;color:var(--muted);max-width:44rem;margin-top:.5rem}
svg.chart{display:block;max-width:100%}
svg.chart text{font-family:inherit;fill:var(--text);font-size:14px}
svg.chart .tick{font-size:13px;fill:var(--muted)}
svg.chart .cell{font-size:13px}
svg.chart .halo{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
.narrow{display:none!important}
@media (max-width:44rem){.narrow{display:block!important}.wide{display:none!important}.wrap{padding:0 1rem}h1{font-size:1.6rem}h2{margin-top:2.25rem}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.5rem}
.board th[scope=row]{position:sticky;left:0;background:var(--page);min-width:9.5rem;max-width:9.5rem;z-index:1;border-right:1px solid var(--rule)}.board .reference th[scope=row]{background:var(--surface)}.board tr>:first-child+*{padding-left:.6rem}.stages>li{grid-template-columns:1.25rem 1fr}.stages .took{grid-column:2}}
.swagger{background:#fff;color-scheme:light;margin-top:1rem;padding:0 .5rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(36rem,100%),1fr));gap:0 2rem}
.log{font-family:var(--mono);font-size:.8125rem;line-height:1.45;margin:.5rem 0;padding:.5rem 0;background:var(--surface);overflow-x:auto;max-height:36rem;counter-reset:line;list-style:none;max-width:76rem}
.log.whole,.tail .log{max-height:none}
.tail{display:flex;flex-direction:column-reverse;max-height:24rem;overflow:auto;max-width:76rem;margin:.5rem 0;background:var(--surface)}
.tail .log{margin:0;overflow:visible;flex:none}
.pages{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.75rem 0}
.log li{max-width:none;white-space:pre-wrap;overflow-wrap:anywhere;padding-left:4.5rem;position:relative;min-height:1.45em}
.log li:target{background:var(--tint-warn)}
.log li a{position:absolute;left:0;width:3.75rem;text-align:right;color:var(--muted);text-decoration:none;user-select:none}
.log li a:hover{text-decoration:underline}
.hash{font-family:var(--mono);font-size:.8125rem;overflow-wrap:anywhere}
.columns{display:grid;grid-template-columns:14rem minmax(0,1fr);gap:2.5rem}
.columns nav{font-size:.9375rem}
.columns nav ul{list-style:none;padding:0;margin:1rem 0;position:sticky;top:1rem}
.columns nav li{padding:.2rem 0}
@media (max-width:62rem){.columns{grid-template-columns:minmax(0,1fr);gap:0}.columns nav ul{columns:2;position:static}}
@media print{.top nav,.live,form,.skip,.ghost{display:none}body{font-size:10pt}.scroll{overflow:visible}.board{min-width:0}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`.trim()

/** Changes with the stylesheet, so that browsers may keep each version for good. */
export const styleVersion = [...stylesheet]
  .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7)
  .toString(36)
