// The same work in Bolt for JavaScript, over HTTP or in Socket Mode. It keeps nothing and decides nothing.

import bolt from "@slack/bolt";

const { App, LogLevel } = bolt;
const { SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET } = process.env;
const { CODESHIP_API_URL, CODESHIP_API_KEY } = process.env;

async function asked(path, params) {
  const query = new URLSearchParams({ api_key: CODESHIP_API_KEY, ...params });
  return (await fetch(`${CODESHIP_API_URL}${path}?${query}`)).json();
}

const { projects } = await asked("/projects.json", {});
const ids = new Map(projects.map((project) => [project.repository_name, project.id]));

const clientOptions = { slackApiUrl: SLACK_API_URL };
const app = new App({
  token: SLACK_BOT_TOKEN,
  logLevel: LogLevel.ERROR,
  clientOptions,
  ...(SLACK_APP_TOKEN
    ? { socketMode: true, appToken: SLACK_APP_TOKEN, installerOptions: { clientOptions } }
    : { signingSecret: SLACK_SIGNING_SECRET }),
});

app.command("/codeship", async ({ command, ack, client }) => {
  await ack();
  const [, repository, branch] = command.text.split(" ");
  const { builds } = await asked(`/projects/${ids.get(repository)}.json`, { branch });
  const build = builds.reduce((newest, one) => (one.id > newest.id ? one : newest));
  const words = `*${repository}* · ${build.branch} · ${build.status}`;
  const facts = `${build.commit_id.slice(0, 7)} “${build.message.split("\n")[0]}” by ${build.github_username}`;
  const blocks = [{ type: "section", text: { type: "mrkdwn", text: `${words}\n${facts}` } }];
  await client.chat.postMessage({ channel: command.channel_id, text: words, blocks });
});

if (SLACK_APP_TOKEN) {
  await app.start();
  console.log("ready port=0");
} else {
  const server = await app.start({ port: 0, host: "127.0.0.1" });
  console.log(`ready port=${server.address().port}`);
}
