// breaks @typescript-eslint/no-unused-vars: 'unused' is assigned a value but never used
export function sum(a: number, b: number): number {
  const unused = a;
  return a + b;
}
