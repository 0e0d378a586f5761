// posthog-node: $identify, $set, alias, group, page view, screen and twenty captures; prints what it gave up on.
import { load, told, track } from "./sending.mjs";

const { PostHog } = load("posthog-node");
const { key, host, all, numbers } = told();
const lost = [];
const client = new PostHog(key, { host, flushAt: 100, flushInterval: 300 });
client.on("error", (error) => lost.push(error.name));
const capture = (event, properties) => client.capture({ distinctId: "user-1", event, properties });
if (all) {
  client.identify({ distinctId: "user-1", properties: { $set: { email: "anna@harbour.example" } } });
  client.alias({ distinctId: "visitor-1", alias: "user-1" });
  client.groupIdentify({ groupType: "company", groupKey: "harbour", properties: { seats: 4 }, distinctId: "user-1" });
  capture("$pageview", { $pathname: "/hours" });
  capture("$screen", { $screen_name: "Account" });
  capture("$set", { $set: { plan: "gold" } });
}
for (const number of numbers) {
  const { userId, event, properties } = track(number);
  client.capture({ distinctId: userId, event, properties });
}
await client.shutdown(60_000);
console.log(JSON.stringify({ lost }));
