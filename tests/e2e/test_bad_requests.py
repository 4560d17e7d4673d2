"""What a client is told when it asks for something that cannot be: status, code, and words, in the
form of the dialect that it speaks."""
import socket

import harness
from harness import TEXT, chat_body, chat_text, write_model

CHAT = '/v1/chat/completions'
JSON = {'Content-Type': 'application/json'}


class BadRequestTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon(llama_server=harness.LLAMA_SERVER or '/nonexistent/llama-server')
        write_model(self.router.models / 'fox.gguf')
        write_model(self.router.models / 'hen.gguf')  # one alone would be the default
        self.router.start()

    def assert_refused(self, response, status, code, *words):
        """The OpenAI form, whose words name the thing that was wrong."""
        self.assertEqual(response.status, status, response)
        error = response.json()['error']
        self.assertEqual(error['code'], code, error)
        for key in ('message', 'type', 'param'):
            self.assertIn(key, error)
        for word in words:
            self.assertIn(word, error['message'])

    def post(self, body, path=CHAT, headers=None):
        return self.router.request('POST', path, body, headers)

    def test_who_sends_much_hears_why_it_is_not_taken(self):
        much = b'x' * (8 << 20)
        self.assertEqual(self.post(much, '/nowhere').status, 404)
        self.assertEqual(self.post(much).status, 413)
        self.router.stop()
        self.router.configure('[auth]\napi_key = "sk-right"\n', '/nonexistent/llama-server')
        self.router.start()
        self.assertEqual(self.post(much, headers={'Authorization': 'Bearer sk-wrong'}).status, 401)

    def test_an_unknown_model(self):
        self.assert_refused(self.router.chat('fxo'), 404, 'model_not_found', 'fxo', 'fox')
        self.assert_refused(self.router.chat('fxo', stream=True), 404, 'model_not_found', 'fxo')

    def test_no_model_when_there_is_no_default(self):
        write_model(self.router.models / 'box.gguf')
        self.router.ctl('rescan')
        for body in (chat_body(''), {'messages': []}, {'model': None, 'messages': []}):
            response = self.post(body)
            self.assertIn(response.status, (400, 404), response)
            self.assertIn('model', response.json()['error']['message'])

    def test_a_model_that_is_no_text(self):
        for model in (7, ['fox'], {'id': 'fox'}, True):
            self.assert_refused(self.post(chat_body(model)), 400, 'invalid_request', 'model')

    def test_malformed_json(self):
        for body in (b'', b'{', b'{"model": "fox",}', b'"model"', b'[]', b'{"model": "fox"} {}',
                     b'{"model": nul}', b'\xff\xfe', b'[' * 5000):
            with self.subTest(body[:20]):
                self.assert_refused(self.post(body, headers=JSON), 400, 'invalid_request')

    def test_a_wrong_content_type(self):
        for kind in ('text/plain', 'application/x-www-form-urlencoded', 'image/png'):
            with self.subTest(kind):
                response = self.post(b'{"model": "fox"}', headers={'Content-Type': kind})
                self.assert_refused(response, 400, 'invalid_request', kind)

    def test_a_body_over_the_limit_is_refused_before_it_is_sent(self):
        with socket.create_connection(self.router.tcp_address(), timeout=10) as client:
            client.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n'
                           b'Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n')
            answer = client.recv(65536)
        self.assertTrue(answer.startswith(b'HTTP/1.1 413 '), answer)
        self.assertIn(b'payload_too_large', answer)
        self.assertIn(b'256 KiB', answer)

    def test_a_chunked_body_over_the_limit_is_refused_as_soon_as_it_is(self):
        with socket.create_connection(self.router.tcp_address(), timeout=10) as client:
            client.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n'
                           b'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
            try:
                for _ in range(64):
                    client.sendall(b'4000\r\n' + b' ' * 0x4000 + b'\r\n')
            except ConnectionError:
                pass  # it need not listen any longer
            answer = client.recv(65536)
        self.assertTrue(answer.startswith(b'HTTP/1.1 413 '), answer)

    def test_a_path_or_method_that_is_not_there(self):
        self.assert_refused(self.post({}, '/v1/nothing'), 404, 'invalid_request', '/v1/nothing')
        response = self.router.request('GET', CHAT)
        self.assert_refused(response, 405, 'invalid_request', 'GET')
        self.assertIn('POST', response.headers['allow'])

    def test_bad_http_is_refused_and_the_connection_closed(self):
        for head in (b'GET / HTTP/1.1\r\n\r\n',  # no Host
                     b'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n',
                     b'GARBAGE\r\n\r\n',
                     b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'):
            with self.subTest(head):
                with socket.create_connection(self.router.tcp_address(), timeout=10) as client:
                    client.sendall(head)
                    answer = b''.join(iter(lambda: client.recv(65536), b''))
                self.assertTrue(answer.startswith(b'HTTP/1.1 400 '), answer)

    def test_anthropic_errors_have_its_form(self):
        body = {'model': 'nobody', 'max_tokens': 9, 'messages': [{'role': 'user', 'content': 'Hi'}]}
        for payload, status, kind in ((body, 404, 'not_found_error'),
                                      (b'{', 400, 'invalid_request_error')):
            response = self.router.request('POST', '/v1/messages', payload, JSON)
            self.assertEqual(response.status, status, response)
            answer = response.json()
            self.assertEqual(answer['type'], 'error')
            self.assertEqual(answer['error']['type'], kind)
            self.assertTrue(answer['error']['message'])

    def test_one_model_of_the_list_that_is_unknown(self):
        self.assert_refused(self.router.request('GET', '/v1/models/nobody'), 404, 'model_not_found')

    def test_every_error_carries_a_request_id(self):
        self.assertTrue(self.router.chat('nobody').headers['x-request-id'])
        self.assertTrue(self.post(b'{', headers=JSON).headers['x-request-id'])

    @harness.needs_llama_server
    def test_what_the_server_itself_refuses_is_passed_on(self):
        response = self.router.chat('fox', max_tokens='many')
        self.assertGreaterEqual(response.status, 400)
        self.assertIn('error', response.json())
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)

    @harness.needs_llama_server
    def test_a_prompt_over_the_context(self):
        self.router.chat('fox')
        body = chat_body('fox', stream=True)
        body['messages'][0]['content'] = 'long ' * 5000
        response = self.post(body)
        self.assertEqual(response.status, 400, response)
        self.assertEqual(response.json()['error']['type'], 'exceed_context_size_error')

    @harness.needs_llama_server
    def test_a_model_file_deleted_between_scan_and_load(self):
        (self.router.models / 'fox.gguf').unlink()
        response = self.router.chat('fox')
        self.assertIn((response.status, response.json()['error']['code']),
                      ((503, 'load_failed'), (404, 'model_not_found')), response)
        self.assertIn('fox', response.json()['error']['message'])


if __name__ == '__main__':
    harness.main()
