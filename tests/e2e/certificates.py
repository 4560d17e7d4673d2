"""Certificates of tests."""
import subprocess


def make_certificate(folder, name, valid_for='IP:127.0.0.1'):
    """One that signed itself, and its key: their paths."""
    certificate, key = folder / f'{name}.pem', folder / f'{name}.key'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', f'/CN={name}',
                    '-addext', f'subjectAltName={valid_for}', '-out', certificate,
                    '-keyout', key], check=True, stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    return certificate, key
