export { eventually, type Patience } from '#kernel/testing';
