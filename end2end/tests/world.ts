// A whole world in one call: the simulators, the server, an empty database, and what a test asks of them.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test as base } from '@playwright/test';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const binary = (name: string) => join(repository, 'target', 'debug', name);

export type Mail = { to: string[]; subject: string; text: string; html: string; attachments: { filename: string; content_type: string; text: string }[] };
export type CalendarEvent = {
  id: string;
  summary?: string;
  status: string;
  hangoutLink?: string;
  start: { dateTime: string };
  end: { dateTime: string };
  attendees?: { email: string }[];
};

export class World {
  private children: ChildProcess[] = [];
  cupo = '';
  google = '';
  mail = '';
  site = '';
  private smtp = '';
  private log = '';

  private proxy?: Server;

  private constructor(
    private readonly directory: string,
    private readonly limits: string,
  ) {}

  /** `below`: a path such as `/book`, below which a proxy of another port shows Cupo. `limits`: lines of that section. */
  static async start({ below = '', limits = '' } = {}): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'cupo-world-')), limits);
    const port = await freePort();
    world.cupo = `http://127.0.0.1:${port}`;
    if (below) {
      world.proxy = await startProxy(below, port);
      world.cupo = `http://127.0.0.1:${(world.proxy.address() as AddressInfo).port}${below}`;
    }
    try {
      await world.startSimulators();
      await world.configure(port);
      await world.startServer();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  private async startSimulators() {
    const any = '127.0.0.1:0';
    const flags = ['--google-listen', any, '--microsoft-listen', any, '--mail-listen', any, '--smtp-listen', any, '--site-listen', any];
    const child = this.spawn('cupo-simulators', ['all', ...flags, '--cupo-url', this.cupo, '--event', 'demo/intro']);
    const ready = await firstLine(child);
    const addresses = JSON.parse(ready);
    Object.assign(this, { google: addresses.google, mail: addresses.mail, site: addresses.site, smtp: addresses.smtp });
  }

  private async configure(port: number) {
    const secret = () => randomBytes(32).toString('base64');
    const [host, smtpPort] = this.smtp.split(':');
    const configuration = `
public_url = "${this.cupo}"
listen = "127.0.0.1:${port}"
[database]
url = "sqlite://${join(this.directory, 'cupo.db')}"
[secrets]
encryption_keys = ["k1:${secret()}"]
session_secret = "${secret()}"
[google]
client_id = "cupo-demo"
client_secret = "cupo-demo-secret"
auth_url = "${this.google}/o/oauth2/v2/auth"
token_url = "${this.google}/token"
revoke_url = "${this.google}/revoke"
api_url = "${this.google}"
webhook_url = "${this.cupo}/webhooks/google"
[smtp]
host = "${host}"
port = ${smtpPort}
tls = "none"
from = "Cupo <cupo@example.com>"
[limits]
${this.limits}
`;
    await writeFile(this.configuration, configuration, { mode: 0o600 });
  }

  private get configuration() {
    return join(this.directory, 'cupo.toml');
  }

  private async startServer() {
    const child = this.spawn('cupo', ['serve', '--config', this.configuration]);
    const keep = (chunk: Buffer) => (this.log += chunk.toString());
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await expect
      .poll(async () => (await fetch(`${this.cupo}/readyz`).catch(() => undefined))?.status, { timeout: 20_000, message: 'the server is ready' })
      .toBe(200);
  }

  /** The demo organization, with its Google account connected to the simulator. */
  async seed(): Promise<{ organization: string; email: string; password: string; event: string }> {
    const flags = ['seed-demo', '--config', this.configuration, '--site-origin', this.site, '--simulator', this.google];
    const { stdout } = await promisify(execFile)(binary('cupo'), flags);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }

  private spawn(name: string, flags: string[]): ChildProcess {
    const child = spawn(binary(name), flags, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.push(child);
    return child;
  }

  /** What the server has logged so far. */
  get serverLog() {
    return this.log;
  }

  async mails(): Promise<Mail[]> {
    return (await fetch(`${this.mail}/messages`)).json() as Promise<Mail[]>;
  }

  /** Waits for a mail to `to` whose subject matches. */
  async mailTo(to: string, subject: RegExp): Promise<Mail> {
    let found: Mail | undefined;
    await expect
      .poll(async () => (found = (await this.mails()).find((mail) => mail.to.some((address) => address.includes(to)) && subject.test(mail.subject))) && true, {
        message: `a mail to ${to} about ${subject}`,
        timeout: 45_000,
      })
      .toBe(true);
    return found as Mail;
  }

  /** The events of a calendar of the simulator that are not cancelled. */
  async events(calendar = 'ana@example.com'): Promise<CalendarEvent[]> {
    const answer = await fetch(`${this.google}/control/events?calendar=${encodeURIComponent(calendar)}`);
    const body = (await answer.json()) as CalendarEvent[] | { items: CalendarEvent[] };
    return (Array.isArray(body) ? body : body.items).filter((event) => event.status !== 'cancelled');
  }

  /** Adds an event by hand, as the calendar's owner would. */
  async addEvent(calendar: string, start: string, minutes: number) {
    const end = new Date(Date.parse(start) + minutes * 60_000).toISOString();
    const answer = await fetch(`${this.google}/control/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ calendar, summary: 'Dentist', start: { dateTime: start }, end: { dateTime: end } }),
    });
    expect(answer.ok, await answer.text()).toBe(true);
  }

  async stop() {
    this.proxy?.closeAllConnections();
    this.proxy?.close();
    for (const child of this.children) {
      child.kill('SIGTERM');
    }
    await Promise.all(this.children.map((child) => (child.exitCode === null ? new Promise((done) => child.once('exit', done)) : undefined)));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Hands what lies below a path to a server on this machine, as it comes, and answers 404 to everything else. */
async function startProxy(below: string, port: number): Promise<Server> {
  const proxy = createHttpServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith(`${below}/`)) {
      outgoing.writeHead(404).end('not below the path');
      return;
    }
    const { url: path, method, headers } = incoming;
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.once('error', () => outgoing.writeHead(502).end());
    incoming.pipe(asked);
  });
  return new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(proxy)));
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code} before it was ready: ${text}`)));
    child.once('error', reject);
  });
}

/** A world of its own for each test that asks for one. */
export const test = base.extend<{ world: World }>({
  world: [
    async ({}, use) => {
      const world = await World.start();
      await use(world);
      await world.stop();
    },
    { timeout: 60_000 },
  ],
});

export { expect };
