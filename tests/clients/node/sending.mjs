// What the senders share: where the clients lie, what the test told, and a tracked event with its number.
import { createRequire } from "node:module";
import { env } from "node:process";

export const load = createRequire(`${env.CLIENTS}/package.json`);

export function told() {
  const numbers = Array.from({ length: Number(env.COUNT) }, (_, at) => at);
  return { key: env.KEY, host: env.HOST, all: Boolean(env.ALL), numbers };
}

export function track(number) {
  return { userId: `user-${number % 5}`, event: "Desk Asked", properties: { number } };
}
