export {
  analytics,
  measured,
  MEASURES,
  type AnalyticsOptions,
  type BrokenPromise,
  type Measure,
  type TicketMeasures,
} from './tickets.js';
