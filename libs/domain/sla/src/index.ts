export * from './calendar/calendar.js';
export * from './clock/clock-events.js';
export * from './policy/policy.js';
export * from './engine.js';
