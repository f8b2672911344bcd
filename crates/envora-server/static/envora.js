// Files in parts, from a browser. Everything else on these pages works without it.
//
// A part that has arrived stays: the same file, dropped again, goes on where it stopped. What became of
// an import is told by events, and asked for now and then where no events come through.
'use strict';

const one = (id) => document.getElementById(id);
const say = (id, text) => { const place = one(id); if (place && place.textContent !== text) place.textContent = text; };
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

// As the server writes it: 812 bytes, 1.4 kB, 1.4 MB.
const size = (bytes) => {
  const tenths = (unit) => (Math.floor((bytes * 10) / unit) / 10).toFixed(1);
  if (bytes < 1e3) return `${bytes}\u00a0bytes`;
  return bytes < 1e6 ? `${tenths(1e3)}\u00a0kB` : `${tenths(1e6)}\u00a0MB`;
};
const number = (count) => count.toLocaleString('en-GB');

// What a person can do something about.
class Trouble extends Error {}

async function asked(method, path, body, headers) {
  const answer = await fetch(path, {
    method, body, headers: { accept: 'application/json, application/problem+json', ...headers }, redirect: 'manual',
  });
  if (answer.type === 'opaqueredirect') throw new Trouble('Your session has ended. Sign in again, then drop the same file: what has arrived stays.');
  const told = await answer.json();
  if (!answer.ok) throw new Trouble(told.detail ?? told.title);
  return told;
}

// Upload ---------------------------------------------------------------------------------------

const upload = one('upload');
let running = null;

const mediaType = (name) => {
  if (/\.(ndjson|jsonl)$/i.test(name)) return 'application/x-ndjson';
  if (/\.(xlsx|xlsm|xls|parquet|parq|pqt|xml|json)$/i.test(name)) return null;
  return 'text/csv';
};

async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return {
    hex: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    base64: btoa(String.fromCharCode(...digest)),
  };
}

// The import that this file was begun with: of its name and length. Parts with other bytes are replaced.
async function begun(file) {
  const { data } = await asked('GET', '/imports/open');
  return data.find((open) => open.file_name === file.name && open.bytes === file.size && open.status !== 'running');
}

function announced(file, kind) {
  const chosen = (id) => one(id)?.value ?? '';
  const pairs = chosen('set').split('\n').map((line) => line.split('=')).filter((pair) => pair.length > 1);
  const body = { file_name: file.name, media_type: kind, bytes: file.size };
  if (chosen('mapping')) body.mapping = chosen('mapping');
  if (chosen('mode')) body.mode = chosen('mode');
  if (pairs.length > 0) body.set = Object.fromEntries(pairs.map(([name, ...rest]) => [name.trim(), rest.join('=').trim()]));
  return asked('POST', '/imports/open', JSON.stringify(body), {
    'content-type': 'application/vnd.env.v2+json', 'x-idempotency-key': crypto.randomUUID(),
  });
}

// Sends one part; the promise tells what to do if it did not arrive.
function put(path, bytes, digest, moved) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    running.request = request;
    request.open('PUT', path);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('content-digest', `sha-256=:${digest}:`);
    request.setRequestHeader('accept', 'application/json, application/problem+json');
    request.upload.onprogress = (event) => moved(event.loaded);
    request.onload = () => {
      const told = (() => { try { return JSON.parse(request.responseText); } catch { return null; } })();
      if (request.status === 200 && told) return done(told);
      if ([429, 502, 503, 504].includes(request.status)) return failed(new Error('busy'));
      return failed(new Trouble(told?.detail ?? 'Your session has ended. Sign in again, then drop the same file: what has arrived stays.'));
    };
    request.onerror = () => failed(new Error('broken off'));
    request.onabort = () => failed(new Trouble('Stopped. What has arrived stays for a day: drop the same file again to go on.'));
    request.send(bytes);
  });
}

async function sendParts(file, open) {
  const partBytes = Number(upload.dataset.part);
  const arrived = new Map((open.parts ?? []).map((part) => [part.number, part]));
  const parts = Math.max(1, Math.ceil(file.size / partBytes));
  for (let number = 1; number <= parts; number += 1) {
    const start = (number - 1) * partBytes;
    const bytes = await file.slice(start, start + partBytes).arrayBuffer();
    const digest = await digestOf(bytes);
    for (let tries = 1; arrived.get(number)?.sha256 !== digest.hex; tries += 1) {
      if (running.stopped) throw new Trouble('Stopped. What has arrived stays for a day: drop the same file again to go on.');
      try {
        await put(`/imports/${open.id}/parts/${number}`, bytes, digest.base64, (sent) => shown(file, Math.min(start + sent, file.size)));
        break;
      } catch (error) {
        if (error instanceof Trouble) throw error;
        if (tries === 5) throw new Trouble('The server cannot be reached. What has arrived stays for a day: drop the same file again to go on.');
        await pause(1000 * tries);
      }
    }
    shown(file, Math.min(start + partBytes, file.size));
  }
}

function shown(file, bytes) {
  const share = file.size === 0 ? 1 : bytes / file.size;
  one('upload-bar').value = share;
  say('upload-text', `${size(bytes)} of ${size(file.size)}`);
  if (Math.floor(share * 4) > running.quarter) {
    running.quarter = Math.floor(share * 4);
    say('upload-said', `${running.quarter * 25} percent have arrived`);
  }
}

async function send(file) {
  if (running) return;
  running = { stopped: false, request: null, quarter: 0 };
  upload.hidden = false;
  one('upload-stop').hidden = false;
  one('upload-trouble').hidden = true;
  say('upload-name', file.name);
  say('upload-said', 'The file is on its way');
  upload.scrollIntoView({ block: 'nearest' });
  try {
    if (!crypto.subtle) throw new Trouble('This browser gives no SHA-256 to this address. Open the page under a name that ends in .localhost, or use: envora data push FILE');
    const kind = mediaType(file.name);
    if (kind === null) throw new Trouble('Only CSV and NDJSON go in parts. Of the other formats, up to 64 MiB are taken in whole.');
    if (file.size === 0) throw new Trouble('The file is empty.');
    if (file.size > Number(upload.dataset.most)) throw new Trouble(`The file has ${size(file.size)}, and ${size(Number(upload.dataset.most))} is the most. Cut it into several.`);
    const known = upload.dataset.id;
    if (known && (file.name !== upload.dataset.name || file.size !== Number(upload.dataset.bytes))) {
      throw new Trouble(`This is another file than ${upload.dataset.name} of ${size(Number(upload.dataset.bytes))}.`);
    }
    const open = known ? await asked('GET', `/imports/${known}/state`) : await begun(file) ?? await announced(file, kind);
    await sendParts(file, open);
    location.assign(`/imports/${open.id}`);
  } catch (error) {
    say('upload-why', error instanceof Trouble ? error.message : 'The server cannot be reached. Drop the same file again to go on.');
    one('upload-trouble').hidden = false;
    one('upload-stop').hidden = true;
    running = null;
  }
}

if (upload) {
  one('upload-stop').addEventListener('click', () => { if (running) { running.stopped = true; running.request?.abort(); } });
  const input = one('file') ?? one('again');
  const form = input.form;
  const look = one('look');
  if (look) {
    look.hidden = false;
    look.addEventListener('click', () => { if (form.reportValidity()) send(input.files[0]); });
  }
  form.addEventListener('submit', (event) => {
    const file = input.files[0];
    const isLarge = file && file.size > Number(upload.dataset.whole);
    if (input.id === 'again' || isLarge) {
      event.preventDefault();
      if (file) send(file);
    }
  });
  form.addEventListener('dragover', (event) => event.preventDefault());
  form.addEventListener('drop', (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event('change'));
  });
  input.addEventListener('change', () => { if (input.id === 'again' && input.files[0]) send(input.files[0]); });
}

// Watching -------------------------------------------------------------------------------------

const watched = one('watch');

function told(event) {
  const share = event.bytes === 0 ? 1 : event.bytes_done / event.bytes;
  one('watch-bar').value = share;
  say('watch-bytes', `${size(event.bytes_done)} of ${size(event.bytes)}`);
  for (const [id, count] of [['rows', event.rows], ...Object.entries(event.counts)]) say(`watch-${id}`, number(count));
  const quarter = `${Math.floor(share * 4) * 25} percent are read`;
  say('watch-said', quarter);
}

// The page of what became of it is made by the server; one that was given up has none.
const over = (status) => (status === 'canceled' ? location.assign('/imports') : location.reload());

async function poll(id) {
  for (;;) {
    await pause(1000);
    const answer = await fetch(`/imports/${id}/state`, { headers: { accept: 'application/json' }, redirect: 'manual' }).catch(() => null);
    if (answer === null) continue;
    if (answer.status === 404) return over('canceled');
    if (!answer.ok) return location.reload();
    const now = await answer.json();
    if (now.status !== 'running') return over(now.status);
    const { accepted, duplicate, quarantined, rejected } = now.counts;
    told({ ...now, rows: accepted + duplicate + quarantined + rejected, bytes_done: now.progress?.bytes_done ?? 0 });
  }
}

if (watched) {
  const events = new EventSource(`/imports/${watched.dataset.id}/events`);
  let isOver = false;
  const end = (status) => { if (!isOver) { isOver = true; events.close(); over(status); } };
  events.addEventListener('import.progress', async (event) => {
    const now = JSON.parse(event.data);
    if (now.status === 'running') return told(now);
    // Its reading ended and nothing is said of what came of it: it is about to be given up, or a restart
    // came between, and then the page says what to do.
    await pause(2000);
    end(now.status);
  });
  events.addEventListener('import.finished', (event) => end(JSON.parse(event.data).status));
  events.addEventListener('error', () => { if (events.readyState === EventSource.CLOSED && !isOver) poll(watched.dataset.id); });
  // Who gives it up, or leaves, is led on by that.
  const leave = () => { isOver = true; events.close(); };
  document.addEventListener('submit', leave);
  window.addEventListener('pagehide', leave);
}
