export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function mib(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
