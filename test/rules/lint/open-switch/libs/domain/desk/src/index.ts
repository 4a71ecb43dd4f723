// breaks @typescript-eslint/switch-exhaustiveness-check: default
export function open(state: string): boolean {
  switch (state) {
    case 'open':
      return true;
  }
  return false;
}
