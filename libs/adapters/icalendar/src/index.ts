export { closedDays, NotICalendar, type ClosedDay, type ClosedDays } from './closed-days.js';
