export type { DeadLetter, Deliveries, Delivery, Feed, Following } from './port.js';
