package crmsim

import (
	"bytes"
	"encoding/xml"
	"net/http"
)

// Sign-on by SOAP, for clients that have no app: POST /services/Soap/u/NN.N
// with login or logout.

type soapRequest struct {
	SessionID string     `xml:"Header>SessionHeader>sessionId"`
	Login     *soapLogin `xml:"Body>login"`
	Logout    *struct{}  `xml:"Body>logout"`
}

type soapLogin struct {
	Username string `xml:"username"`
	Password string `xml:"password"`
}

type soapAnswer struct {
	XMLName xml.Name      `xml:"soapenv:Envelope"`
	Soap    string        `xml:"xmlns:soapenv,attr"`
	Partner string        `xml:"xmlns,attr"`
	Faults  string        `xml:"xmlns:sf,attr"`
	Login   *loginResult  `xml:"soapenv:Body>loginResponse>result"`
	Logout  *logoutResult `xml:"soapenv:Body>logoutResponse"`
	Fault   *soapFault    `xml:"soapenv:Body>soapenv:Fault"`
}

type loginResult struct {
	MetadataServerURL string `xml:"metadataServerUrl"`
	PasswordExpired   bool   `xml:"passwordExpired"`
	Sandbox           bool   `xml:"sandbox"`
	ServerURL         string `xml:"serverUrl"`
	SessionID         string `xml:"sessionId"`
	UserID            string `xml:"userId"`
	UserInfo          struct {
		OrganizationID string `xml:"organizationId"`
		UserID         string `xml:"userId"`
		UserName       string `xml:"userName"`
		Seconds        int    `xml:"sessionSecondsValid"`
	} `xml:"userInfo"`
}

type logoutResult struct{}

type soapFault struct {
	Code string `xml:"faultcode"`
	Text string `xml:"faultstring"`
}

// reply writes the envelope; a fault has status 500.
func (a soapAnswer) reply() reply {
	a.Soap, a.Partner, a.Faults = "http://schemas.xmlsoap.org/soap/envelope/", "urn:partner.soap.sforce.com", "urn:fault.partner.soap.sforce.com"
	r := reply{status: http.StatusOK, contentType: "text/xml;charset=UTF-8"}
	if a.Fault != nil {
		r.status = http.StatusInternalServerError
	}
	text, _ := xml.Marshal(a) // the types here all marshal
	r.body = append([]byte(xml.Header), text...)
	return r
}

func soapFailure(code, text string) reply {
	return soapAnswer{Fault: &soapFault{"sf:" + code, code + ": " + text}}.reply()
}

func (s *Server) soapSignOn(c *call, version string) reply {
	var in soapRequest
	if err := xml.NewDecoder(bytes.NewReader(c.body)).Decode(&in); err != nil {
		return soapFailure("UNKNOWN_EXCEPTION", "the body is no SOAP envelope")
	}
	switch {
	case in.Login != nil && !s.mayEnter(in.Login.Username, in.Login.Password):
		return soapFailure("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
	case in.Login != nil:
		result := &loginResult{MetadataServerURL: origin(c) + "/services/Soap/m/" + version + "/" + s.orgID,
			ServerURL: origin(c) + "/services/Soap/u/" + version + "/" + s.orgID, SessionID: s.issue(), UserID: s.runAs}
		result.UserInfo.OrganizationID, result.UserInfo.UserID, result.UserInfo.UserName = s.orgID, s.runAs, s.opt.User
		result.UserInfo.Seconds = int(s.opt.TokenLife.Seconds())
		return soapAnswer{Login: result}.reply()
	case in.Logout != nil && s.control.alive(in.SessionID, s.now()):
		s.control.mu.Lock()
		defer s.control.mu.Unlock()
		delete(s.control.tokens, in.SessionID)
		return soapAnswer{Logout: &logoutResult{}}.reply()
	case in.Logout != nil:
		return soapFailure("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
	}
	return soapFailure("UNKNOWN_EXCEPTION", "only login and logout are spoken here")
}
