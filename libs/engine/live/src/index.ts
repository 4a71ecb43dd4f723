export { isTimed, news, setTooLate, type Changed, type DueSoon, type News, type Overdue } from './news.js';
