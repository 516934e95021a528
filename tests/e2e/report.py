"""Reading a delivery status notification (RFC 3464) with Python's parser."""
import email
import email.policy


class Report:
    def __init__(self, message, fields, recipients, original):
        self.message, self.fields = message, fields
        self.recipients, self.original = recipients, original

    def recipient(self, address):
        for r in self.recipients:
            if r['Final-Recipient'].split(';', 1)[1].strip() == address:
                return r
        raise AssertionError('%s is not in the report: %s' % (
            address, [r['Final-Recipient'] for r in self.recipients]))

    def addresses(self):
        return [r['Final-Recipient'].split(';', 1)[1].strip()
                for r in self.recipients]


def parse_report(case, mail):
    """A Report of a sink's mail, whose form is checked on the way."""
    m = email.message_from_bytes(mail.data)
    case.assertEqual(m.get_content_type(), 'multipart/report', mail.text)
    case.assertEqual(m.get_param('report-type'), 'delivery-status')
    case.assertEqual(m.defects, [])
    for name in ('From', 'To', 'Date', 'Message-ID', 'Subject',
                 'MIME-Version'):
        case.assertEqual(len(m.get_all(name) or []), 1, name)
    case.assertEqual(m['Auto-Submitted'], 'auto-replied')
    parts = m.get_payload()
    case.assertIn(len(parts), (2, 3))
    case.assertEqual(parts[0].get_content_type(), 'text/plain')
    case.assertIn(parts[1].get_content_type(),
                  ('message/delivery-status',
                   'message/global-delivery-status'))
    groups = parts[1].get_payload()
    if len(groups) == 1:    # message/global-d-s: to the parser just a message
        rest = groups[0].get_payload().replace('\r\n', '\n')
        groups += [email.message_from_string(g + '\n')
                   for g in rest.strip().split('\n\n')]
    groups = [g for g in groups if g.keys()]
    fields, recipients = groups[0], groups[1:]
    case.assertTrue(fields['Reporting-MTA'].startswith('dns;'))
    case.assertTrue(recipients)
    for r in recipients:
        case.assertRegex(r['Final-Recipient'], r'^(rfc822|utf-8) ?; ?.+')
        case.assertIn(r['Action'], ('failed', 'delayed', 'delivered',
                                    'relayed', 'expanded'))
        case.assertRegex(r['Status'], r'^[245]\.\d{1,3}\.\d{1,3}$')
    original = parts[2] if len(parts) > 2 else None
    if original is not None:
        case.assertIn(original.get_content_type(), (
            'message/rfc822', 'text/rfc822-headers', 'message/global',
            'message/global-headers'))
    for part in parts:
        case.assertEqual(part.defects, [])
    return Report(m, fields, recipients, original)
