export { publicHolidays, UnknownCountry, type Holiday, type Holidays } from './public-holidays.js';
