// @segment/analytics-node: identify, alias, page, screen, group and twenty tracks; prints what it gave up on.
import { load, told, track } from "./sending.mjs";

const { Analytics } = load("@segment/analytics-node");
const { key, host, all, numbers } = told();
const lost = [];
const client = new Analytics({ writeKey: key, host, flushAt: 100, flushInterval: 300 });
client.on("error", (error) => lost.push(error.ctx?.event?.properties?.number ?? error.code));
if (all) {
  client.identify({ userId: "user-1", traits: { email: "anna@harbour.example", plan: "gold" } });
  client.alias({ previousId: "visitor-1", userId: "user-1" });
  client.page({ userId: "user-1", category: "Docs", name: "Opening hours", properties: { path: "/hours" } });
  client.screen({ userId: "user-1", name: "Account" });
  client.group({ userId: "user-1", groupId: "harbour", traits: { seats: 4 } });
}
for (const number of numbers) client.track(track(number));
await client.closeAndFlush({ timeout: 60_000 });
console.log(JSON.stringify({ lost }));
