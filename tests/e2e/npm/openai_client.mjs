// Asks a router as an application would, by the official client library, and prints what it got.
// usage: node openai_client.mjs BASE_URL MODEL EMBEDDING_MODEL TEXT
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL, model, embeddingModel, text] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, timeout: 60_000 });
const messages = [{ role: 'user', content: 'Tell me about the fox.' }];

const checks = {
  async 'models.list names both models'() {
    const ids = [];
    for await (const entry of client.models.list()) ids.push(entry.id);
    assert.deepEqual(ids.sort(), [embeddingModel, model].sort());
  },

  async 'models.retrieve knows one'() {
    assert.equal((await client.models.retrieve(model)).id, model);
  },

  async 'chat.completions answers with the text'() {
    const answer = await client.chat.completions.create({ model, messages });
    assert.equal(answer.choices[0].message.content, text);
    assert.equal(answer.choices[0].finish_reason, 'stop');
  },

  async 'chat.completions streams the text piece by piece'() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    const pieces = [];
    let usage;
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta?.content;
      if (piece) pieces.push(piece);
      usage = chunk.usage ?? usage;
    }
    assert.equal(pieces.join(''), text);
    assert.ok(pieces.length > 3, `only ${pieces.length} pieces`);
    assert.ok(usage.completion_tokens >= pieces.length);
  },

  async 'a stream that is broken off leaves the client usable'() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) {
      if (chunk) break;
    }
    const answer = await client.chat.completions.create({ model, messages });
    assert.equal(answer.choices[0].message.content, text);
  },

  async 'completions answers with the text'() {
    const answer = await client.completions.create({ model, prompt: 'Once', max_tokens: 100 });
    assert.equal(answer.choices[0].text, text);
  },

  async 'responses answers with the text'() {
    const answer = await client.responses.create({ model, input: 'Tell me about the fox.' });
    assert.equal(answer.output_text, text);
  },

  async 'embeddings are the same for the same input'() {
    const answer = await client.embeddings.create({
      model: embeddingModel, input: ['one', 'two', 'one'], encoding_format: 'float',
    });
    const [first, second, third] = answer.data.map((row) => row.embedding);
    assert.deepEqual(first, third);
    assert.notDeepEqual(first, second);
  },

  async 'an unknown model is a NotFoundError'() {
    await assert.rejects(
      client.chat.completions.create({ model: 'no-such-model', messages }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found');
  },

  async 'an empty list of messages is a BadRequestError'() {
    await assert.rejects(
      client.chat.completions.create({ model, messages: 'none' }), OpenAI.BadRequestError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok ${name}`);
}
