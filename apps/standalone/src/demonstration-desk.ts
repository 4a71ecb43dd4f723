import type { TokenClaims } from '#edge';

/** Who shows the desk: one person a role. */
export const PERSONS = {
  agent: { role: 'agent', name: 'alice', email: 'alice@desk.example' },
  supervisor: { role: 'supervisor', name: 'sam', email: 'sam@desk.example' },
  'complaints-officer': { role: 'complaints-officer', name: 'olga', email: 'olga@desk.example' },
  vendor: { role: 'vendor', name: 'victor', email: 'victor@acme.example', vendor: 'Acme Printing' },
  auditor: { role: 'auditor', name: 'ada', email: 'ada@audit.example' },
  customer: { role: 'customer', name: 'carol', email: 'carol@globex.example', customer: 'Globex' },
  integration: { role: 'integration', name: 'gateway' },
  monitor: { role: 'monitor', name: 'probe' },
  administrator: { role: 'administrator', name: 'root' },
} as const satisfies { readonly [R in TokenClaims['role']]: TokenClaims & { readonly role: R } };

/** A command after the opening: its route, and how many hours before the demonstration's beginning it happened. */
type Step = readonly [route: string, hoursAgo: number, body: object];

interface MadeUp {
  readonly hoursAgo: number;
  readonly opening: {
    readonly subject: string;
    readonly text: string;
    readonly channel: string;
    readonly requester: { readonly name: string; readonly email: string };
    readonly customer?: string;
    readonly priority?: number;
    readonly tier?: string;
    readonly externalReference?: string;
  };
  readonly steps: readonly Step[];
}

const carol = { requester: { name: 'Carol Jones', email: 'carol@globex.example' }, customer: 'Globex' };
const dave = { requester: { name: 'Dave Miller', email: 'dave@globex.example' }, customer: 'Globex' };
const erin = { requester: { name: 'Erin Novak', email: 'erin@initech.example' }, customer: 'Initech' };
const frank = { requester: { name: 'Frank Ito', email: 'frank@initech.example' }, customer: 'Initech' };

export const QUEUES = [
  { group: 'Service Desk', title: 'Service desk, first line' },
  { group: 'Network', title: 'Network and remote access' },
  { group: 'Hardware', title: 'Printers, phones, computers' },
  { group: 'Accounts', title: 'Accounts and permissions' },
] as const;

/** Made up, in many states: waiting, overdue, answered, held, handed over, with a vendor, resolved, reopened, closed. */
export const TICKETS: readonly MadeUp[] = [
  {
    hoursAgo: 75,
    opening: {
      ...carol,
      channel: 'phone',
      priority: 2,
      subject: 'Printer on floor 3 prints blank pages',
      text: 'Since this morning. I have changed the cartridge already.',
    },
    steps: [
      ['classify', 74.8, { category: 'Hardware', subcategory: 'Printer' }],
      ['assign', 74.7, { group: 'Hardware', agent: 'alice' }],
      [
        'messages',
        74.5,
        {
          kind: 'sent',
          channel: 'phone',
          text: 'A technician of the manufacturer has to look at it; we have called them.',
        },
      ],
      ['hand-to-vendor', 74.4, { vendor: 'Acme Printing', vendorReference: 'AP-5512' }],
    ],
  },
  {
    hoursAgo: 52,
    opening: {
      ...erin,
      channel: 'e-mail',
      priority: 1,
      tier: 'vip',
      subject: 'Nobody in Brno can log in',
      text: 'The login page says the service is not available. All forty of us are affected.',
    },
    steps: [
      ['assign', 51.9, { group: 'Network', agent: 'bob' }],
      [
        'messages',
        51.8,
        {
          kind: 'sent',
          channel: 'e-mail',
          text: 'We see it, too. The line to Brno is down; the carrier is on it.',
        },
      ],
      ['escalate', 51, { reason: 'A whole site is down.' }],
      ['resolve', 49, { resolution: 'solved', comment: 'The carrier replaced a line card.' }],
      ['close', 30, {}],
    ],
  },
  {
    hoursAgo: 50,
    opening: {
      ...dave,
      channel: 'web',
      priority: 4,
      subject: 'Second screen for my desk',
      text: 'I compare long tables all day; a second screen would help.',
    },
    steps: [['assign', 49.5, { group: 'Hardware' }]],
  },
  {
    hoursAgo: 30,
    opening: {
      ...frank,
      channel: 'e-mail',
      subject: 'VPN drops every hour',
      text: 'It comes back after a minute, but every call is lost.',
    },
    steps: [
      ['assign', 29.8, { group: 'Network', agent: 'bob' }],
      [
        'messages',
        29,
        {
          kind: 'sent',
          channel: 'e-mail',
          text: 'Which version of the client do you use? Please send us its log.',
        },
      ],
      ['hold', 28.9, { reason: 'requester', comment: 'Waiting for the log of the client.' }],
    ],
  },
  {
    hoursAgo: 28,
    opening: {
      ...carol,
      channel: 'web',
      priority: 2,
      subject: 'Cannot open the shared calendar',
      text: 'It says that I have no permission. Yesterday I had.',
    },
    steps: [
      ['assign', 27.9, { group: 'Accounts' }],
      [
        'messages',
        26,
        { kind: 'note', text: 'The group was cleaned up last night; probably removed by mistake.' },
      ],
    ],
  },
  {
    hoursAgo: 26,
    opening: {
      ...erin,
      channel: 'chat',
      subject: 'New colleague needs an account by Monday',
      text: 'Her name is Gita Rao; she starts in accounting.',
    },
    steps: [
      ['assign', 25.8, { group: 'Accounts', agent: 'alice' }],
      [
        'messages',
        25.5,
        {
          kind: 'sent',
          channel: 'chat',
          text: 'Done. She finds her first password in a sealed letter at the reception.',
        },
      ],
      ['resolve', 25.4, { resolution: 'solved' }],
      ['reopen', 6, { reason: 'The account cannot open the accounting programme.' }],
    ],
  },
  {
    hoursAgo: 24,
    opening: {
      ...dave,
      channel: 'phone',
      subject: 'Headset crackles in every call',
      text: 'I have tried two computers.',
    },
    steps: [
      ['assign', 23.9, { group: 'Service Desk', agent: 'alice' }],
      ['handover', 22, { group: 'Hardware', reason: 'Needs a replacement from the stock.' }],
    ],
  },
  {
    hoursAgo: 8,
    opening: {
      ...frank,
      channel: 'phone',
      priority: 2,
      subject: 'Badge does not open the side door',
      text: 'The front door works.',
    },
    steps: [
      ['classify', 7.9, { category: 'Building', subcategory: 'Access' }],
      ['assign', 7.8, { group: 'Accounts', agent: 'alice' }],
    ],
  },
  {
    hoursAgo: 5,
    opening: {
      ...erin,
      channel: 'e-mail',
      priority: 3,
      externalReference: 'INI-2207',
      subject: 'Invoice PDF is empty',
      text: 'The file has 0 bytes. The number is in the subject of the forwarded message.',
    },
    steps: [],
  },
  {
    hoursAgo: 2,
    opening: {
      ...carol,
      channel: 'web',
      subject: 'How do I forward my phone?',
      text: 'I am away next week and want my calls to reach Dave.',
    },
    steps: [
      ['assign', 1.8, { group: 'Service Desk', agent: 'alice' }],
      ['messages', 1.7, { kind: 'sent', channel: 'web', text: 'Dial *21* and his number; #21# ends it.' }],
      ['resolve', 1.6, { resolution: 'solved' }],
      ['rate', 1.5, { score: 5, comment: 'That was quick.' }],
    ],
  },
  {
    hoursAgo: 1,
    opening: {
      ...frank,
      channel: 'chat',
      priority: 4,
      subject: 'Wallpaper is gone after the update',
      text: 'Not urgent at all.',
    },
    steps: [],
  },
  {
    hoursAgo: 0.2,
    opening: {
      ...dave,
      channel: 'phone',
      priority: 1,
      subject: 'Till 4 in the shop is frozen',
      text: 'There is a queue of customers.',
    },
    steps: [],
  },
  {
    hoursAgo: 74,
    opening: {
      ...dave,
      channel: 'web',
      priority: 2,
      subject: 'Empty pages from the printer next to the kitchen',
      text: 'Third floor. It says that everything is fine.',
    },
    steps: [['assign', 73.9, { group: 'Hardware' }]],
  },
];

/** Pairs of places in TICKETS: the second turned out to be about the same as the first. */
export const MERGES: readonly (readonly [survivor: number, duplicate: number])[] = [[0, 12]];
