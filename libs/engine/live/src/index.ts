export { isBreach, news, promisedTooLate, type Changed, type News, type Overdue } from './news.js';
