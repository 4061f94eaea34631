/**
 * The functions that a proxy script may call (domain 4.6), as source that runs in the script's own engine, so that no
 * object of ours is within its reach. Two come from outside: `dnsResolve` and `myIpAddress`. ES5, as scripts are.
 */
export const pacFunctions = String.raw`
function isPlainHostName(host) { return String(host).indexOf(".") < 0; }
function dnsDomainIs(host, domain) {
  host = String(host); domain = String(domain);
  return host.length >= domain.length && host.substring(host.length - domain.length) === domain;
}
function localHostOrDomainIs(host, hostdom) {
  host = String(host); hostdom = String(hostdom);
  return host === hostdom || (host.indexOf(".") < 0 && hostdom.lastIndexOf(host + ".", 0) === 0);
}
function isResolvable(host) { return dnsResolve(host) !== null; }
function dnsDomainLevels(host) { return String(host).split(".").length - 1; }
function convert_addr(text) {
  var m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(String(text));
  if (!m) return null;
  var n = 0;
  for (var i = 1; i <= 4; i++) { if (m[i] > 255) return null; n = n * 256 + Number(m[i]); }
  return n | 0;
}
function isInNet(host, pattern, mask) {
  var address = convert_addr(host);
  if (address === null) address = convert_addr(dnsResolve(host));
  var net = convert_addr(pattern), bits = convert_addr(mask);
  return address !== null && net !== null && bits !== null && (address & bits) === (net & bits);
}
function shExpMatch(text, pattern) {
  text = String(text); pattern = String(pattern);
  /* Two pointers and one way back: no pattern takes more than text x pattern steps. */
  var t = 0, p = 0, star = -1, mark = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") { star = p++; mark = t; }
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) { t++; p++; }
    else if (star >= 0) { p = star + 1; t = ++mark; }
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
function alert() {}
var __days = { SUN: 0, MON: 1, TUE: 2, WED: 3, THU: 4, FRI: 5, SAT: 6 };
var __months = { JAN: 0, FEB: 1, MAR: 2, APR: 3, MAY: 4, JUN: 5, JUL: 6, AUG: 7, SEP: 8, OCT: 9, NOV: 10, DEC: 11 };
function __arguments(list) {
  var values = [].slice.call(list);
  var gmt = values[values.length - 1] === "GMT";
  if (gmt) values.pop();
  return { values: values, gmt: gmt };
}
function __between(low, value, high) {
  return low <= high ? low <= value && value <= high : low <= value || value <= high;
}
function weekdayRange() {
  var a = __arguments(arguments), now = new Date();
  var from = __days[String(a.values[0]).toUpperCase()];
  var to = a.values.length > 1 ? __days[String(a.values[1]).toUpperCase()] : from;
  if (from === undefined || to === undefined) return false;
  return __between(from, a.gmt ? now.getUTCDay() : now.getDay(), to);
}
function timeRange() {
  var a = __arguments(arguments), now = new Date(), v = [];
  for (var i = 0; i < a.values.length; i++) v.push(Number(a.values[i]));
  var h = a.gmt ? now.getUTCHours() : now.getHours();
  var m = a.gmt ? now.getUTCMinutes() : now.getMinutes();
  var s = a.gmt ? now.getUTCSeconds() : now.getSeconds();
  var second = h * 3600 + m * 60 + s;
  switch (v.length) {
    case 1: return h === v[0];
    case 2: return __between(v[0] * 3600, second, v[1] * 3600 - 1);
    case 4: return __between(v[0] * 3600 + v[1] * 60, second, v[2] * 3600 + v[3] * 60 + 59);
    case 6: return __between(v[0] * 3600 + v[1] * 60 + v[2], second, v[3] * 3600 + v[4] * 60 + v[5]);
    default: return false;
  }
}
function dateRange() {
  var a = __arguments(arguments), now = new Date();
  var today = {
    day: a.gmt ? now.getUTCDate() : now.getDate(),
    month: a.gmt ? now.getUTCMonth() : now.getMonth(),
    year: a.gmt ? now.getUTCFullYear() : now.getFullYear()
  };
  var parts = [];
  for (var i = 0; i < a.values.length; i++) {
    var value = a.values[i], month = __months[String(value).toUpperCase()];
    if (month !== undefined) parts.push(["month", month]);
    else if (Number(value) >= 1 && Number(value) <= 31) parts.push(["day", Number(value)]);
    else if (Number(value) > 31) parts.push(["year", Number(value)]);
    else return false;
  }
  if (parts.length === 0) return false;
  if (parts.length === 1) return today[parts[0][0]] === parts[0][1];
  if (parts.length % 2 !== 0) return false;
  var weight = { year: 10000, month: 100, day: 1 }, low = 0, high = 0, at = 0, half = parts.length / 2;
  for (var j = 0; j < half; j++) {
    if (parts[j][0] !== parts[j + half][0]) return false;
    low += parts[j][1] * weight[parts[j][0]];
    high += parts[j + half][1] * weight[parts[j][0]];
    at += today[parts[j][0]] * weight[parts[j][0]];
  }
  return __between(low, at, high);
}
`;
