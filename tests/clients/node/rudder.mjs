// @rudderstack/rudder-sdk-node: identify, alias, page, screen, group and twenty tracks; prints what it gave up on.
// With UNWATCHED set it is used without an error handler, as most people do.
import { load, told, track } from "./sending.mjs";

const RudderAnalytics = load("@rudderstack/rudder-sdk-node");
const { key, host, all, numbers } = told();
const lost = [];
const watched = process.env.UNWATCHED ? {} : { errorHandler: () => {} };
const client = new RudderAnalytics(key, { dataPlaneUrl: host, flushInterval: 300, logLevel: "error", ...watched });
let waiting = 0;
function ended(name) {
  waiting += 1;
  return (error) => {
    waiting -= 1;
    if (error) lost.push(name);
  };
}
if (all) {
  client.identify({ userId: "user-1", traits: { email: "anna@harbour.example", plan: "gold" } }, ended("identify"));
  client.alias({ previousId: "visitor-1", userId: "user-1" }, ended("alias"));
  const hours = { userId: "user-1", category: "Docs", name: "Opening hours", properties: { path: "/hours" } };
  client.page(hours, ended("page"));
  client.screen({ userId: "user-1", name: "Account" }, ended("screen"));
  client.group({ userId: "user-1", groupId: "harbour", traits: { seats: 4 } }, ended("group"));
}
for (const number of numbers) client.track(track(number), ended(number));
while (waiting) {
  await client.flush();
  await new Promise(setImmediate);
}
console.log(JSON.stringify({ lost }));
process.exit(0);
